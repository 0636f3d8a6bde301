// Messages of other tools, known by their whole shape: so that an error can name them, and no envelope is taken for a row.
#pragma once

#include <string_view>

#include "cdcrt/sdk/json_tape.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::debezium {

/// What another tool writes. Immutable, for the life of the process.
struct ForeignFormat {
  const char* name;    ///< "a Maxwell message"
  const char* advice;  ///< what can be done
};

extern const ForeignFormat kCloudEvents;
extern const ForeignFormat kCassandra;
extern const ForeignFormat kDebeziumMongo;
extern const ForeignFormat kConnectEvent;  ///< Debezium's own events, to a format that reads Flink's

/// A column of this name may belong to another tool's message: only then is recognise_foreign() worth its time.
bool may_be_foreign(std::string_view column);

/// The tool whose whole shape `object` has, names and kinds of values; `key`: the message's key. nullptr: none that is known.
/// A row of a table that merely has columns of such names is not recognised, because its values are of other kinds.
const ForeignFormat* recognise_foreign(const sdk::JsonTape& tape, uint32_t object, std::string_view key);

/// Binary encodings: schema registries, Avro files. nullptr: none that is known.
const ForeignFormat* recognise_binary(std::string_view bytes);

/// `reads`: what the format that refuses it reads.
sdk::Status foreign_status(const ForeignFormat& format, const char* reads);

}  // namespace cdcrt::debezium

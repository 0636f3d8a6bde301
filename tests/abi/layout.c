/* The boundary's layout, member by member: a C11 translation unit that is compiled with everything that is not asked for, padding
 * included, being an error. A number that has to change here is a change of the ABI: see docs/decisions/0052-growing-boundary.md. */
#include <assert.h>

#include "cdcrt/abi/plugin.h"

#define SIZE(type, bytes) static_assert(sizeof(type) == (bytes), #type " has another size")
#define AT(type, member, offset) static_assert(offsetof(type, member) == (offset), #type "." #member " moved")

SIZE(cdcrt_string, 16);
AT(cdcrt_string, data, 0);
AT(cdcrt_string, size, 8);

SIZE(cdcrt_error, 64);
AT(cdcrt_error, size, 0);
AT(cdcrt_error, code, 4);
AT(cdcrt_error, native, 8);
AT(cdcrt_error, sqlstate, 12);
AT(cdcrt_error, reserved, 18);
AT(cdcrt_error, message, 24);
AT(cdcrt_error, hint, 32);
AT(cdcrt_error, config_key, 40);
AT(cdcrt_error, owner, 48);
AT(cdcrt_error, release, 56);

SIZE(cdcrt_option, 72);
AT(cdcrt_option, size, 0);
AT(cdcrt_option, type, 4);
AT(cdcrt_option, flags, 6);
AT(cdcrt_option, key, 8);
AT(cdcrt_option, doc, 16);
AT(cdcrt_option, default_value, 24);
AT(cdcrt_option, example, 32);
AT(cdcrt_option, enum_values, 40);
AT(cdcrt_option, minimum, 48);
AT(cdcrt_option, maximum, 56);
AT(cdcrt_option, former_keys, 64);

SIZE(cdcrt_option_value, 72);
AT(cdcrt_option_value, key, 0);
AT(cdcrt_option_value, type, 8);
AT(cdcrt_option_value, is_set, 10);
AT(cdcrt_option_value, count, 12);
AT(cdcrt_option_value, integer, 16);
AT(cdcrt_option_value, real, 24);
AT(cdcrt_option_value, string, 32);
AT(cdcrt_option_value, strings, 48);
AT(cdcrt_option_value, reserved, 56);

SIZE(cdcrt_config, 56);
AT(cdcrt_config, size, 0);
AT(cdcrt_config, count, 4);
AT(cdcrt_config, values, 8);
AT(cdcrt_config, value_size, 16);
AT(cdcrt_config, reserved, 20);
AT(cdcrt_config, name, 24);
AT(cdcrt_config, pipeline, 40);

SIZE(cdcrt_host, 40);
AT(cdcrt_host, size, 0);
AT(cdcrt_host, abi_major, 4);
AT(cdcrt_host, abi_minor, 6);
AT(cdcrt_host, self, 8);
AT(cdcrt_host, log_level, 16);
AT(cdcrt_host, log, 24);
AT(cdcrt_host, leaves, 32);

SIZE(cdcrt_cell, 16);
AT(cdcrt_cell, tag, 0);
AT(cdcrt_cell, reserved8, 1);
AT(cdcrt_cell, reserved16, 2);
AT(cdcrt_cell, size, 4);
AT(cdcrt_cell, value, 8);

SIZE(cdcrt_type, 8);
AT(cdcrt_type, kind, 0);
AT(cdcrt_type, element, 1);
AT(cdcrt_type, scale, 2);
AT(cdcrt_type, length, 4);

SIZE(cdcrt_column, 80);
AT(cdcrt_column, name, 0);
AT(cdcrt_column, type, 16);
AT(cdcrt_column, flags, 24);
AT(cdcrt_column, key_ordinal, 28);
AT(cdcrt_column, default_value, 32);
AT(cdcrt_column, target_type, 48);
AT(cdcrt_column, former_name, 64);

SIZE(cdcrt_shape, 88);
AT(cdcrt_shape, size, 0);
AT(cdcrt_shape, flags, 4);
AT(cdcrt_shape, database, 8);
AT(cdcrt_shape, schema, 24);
AT(cdcrt_shape, table, 40);
AT(cdcrt_shape, columns, 56);
AT(cdcrt_shape, column_count, 64);
AT(cdcrt_shape, column_size, 68);
AT(cdcrt_shape, server, 72);

SIZE(cdcrt_row, 48);
AT(cdcrt_row, shape, 0);
AT(cdcrt_row, message, 4);
AT(cdcrt_row, operation, 8);
AT(cdcrt_row, reserved8, 9);
AT(cdcrt_row, cells, 12);
AT(cdcrt_row, before, 16);
AT(cdcrt_row, other_key, 20);
AT(cdcrt_row, source_order, 24);
AT(cdcrt_row, source_time_us, 40);

SIZE(cdcrt_header, 32);
AT(cdcrt_header, name, 0);
AT(cdcrt_header, value, 16);

SIZE(cdcrt_message, 80);
AT(cdcrt_message, key, 0);
AT(cdcrt_message, value, 16);
AT(cdcrt_message, headers, 32);
AT(cdcrt_message, header_count, 40);
AT(cdcrt_message, reserved, 44);
AT(cdcrt_message, offset, 48);
AT(cdcrt_message, timestamp_ms, 56);
AT(cdcrt_message, unreadable, 64);

SIZE(cdcrt_messages, 72);
AT(cdcrt_messages, size, 0);
AT(cdcrt_messages, partition, 4);
AT(cdcrt_messages, topic, 8);
AT(cdcrt_messages, messages, 24);
AT(cdcrt_messages, count, 32);
AT(cdcrt_messages, message_size, 36);
AT(cdcrt_messages, generation, 40);
AT(cdcrt_messages, reserved, 44);
AT(cdcrt_messages, bytes, 48);
AT(cdcrt_messages, owner, 56);
AT(cdcrt_messages, release, 64);

SIZE(cdcrt_rows, 96);
AT(cdcrt_rows, size, 0);
AT(cdcrt_rows, row_count, 4);
AT(cdcrt_rows, row_capacity, 8);
AT(cdcrt_rows, cell_count, 12);
AT(cdcrt_rows, cell_capacity, 16);
AT(cdcrt_rows, reserved, 20);
AT(cdcrt_rows, rows, 24);
AT(cdcrt_rows, cells, 32);
AT(cdcrt_rows, arena_next, 40);
AT(cdcrt_rows, arena_end, 48);
AT(cdcrt_rows, self, 56);
AT(cdcrt_rows, grow, 64);
AT(cdcrt_rows, arena_grow, 72);
AT(cdcrt_rows, intern, 80);
AT(cdcrt_rows, reject, 88);

SIZE(cdcrt_format, 32);
AT(cdcrt_format, size, 0);
AT(cdcrt_format, capabilities, 4);
AT(cdcrt_format, create, 8);
AT(cdcrt_format, decode, 16);
AT(cdcrt_format, destroy, 24);

SIZE(cdcrt_table, 32);
AT(cdcrt_table, schema, 0);
AT(cdcrt_table, name, 16);

SIZE(cdcrt_table_description, 48);
AT(cdcrt_table_description, size, 0);
AT(cdcrt_table_description, exists, 4);
AT(cdcrt_table_description, columns, 8);
AT(cdcrt_table_description, column_count, 16);
AT(cdcrt_table_description, column_size, 20);
AT(cdcrt_table_description, is_view, 24);
AT(cdcrt_table_description, folds_names, 28);
AT(cdcrt_table_description, owner, 32);
AT(cdcrt_table_description, release, 40);

SIZE(cdcrt_change, 56);
AT(cdcrt_change, size, 0);
AT(cdcrt_change, kind, 4);
AT(cdcrt_change, columns, 8);
AT(cdcrt_change, column_count, 16);
AT(cdcrt_change, column_size, 20);
AT(cdcrt_change, from, 24);
AT(cdcrt_change, layout, 32);
AT(cdcrt_change, reserved, 40);

SIZE(cdcrt_write, 112);
AT(cdcrt_write, size, 0);
AT(cdcrt_write, kind, 4);
AT(cdcrt_write, table, 8);
AT(cdcrt_write, columns, 40);
AT(cdcrt_write, column_count, 48);
AT(cdcrt_write, column_size, 52);
AT(cdcrt_write, has_unique_key, 56);
AT(cdcrt_write, is_direct, 60);
AT(cdcrt_write, cells, 64);
AT(cdcrt_write, row_count, 72);
AT(cdcrt_write, operations, 80);
AT(cdcrt_write, missing, 88);
AT(cdcrt_write, context, 96);
AT(cdcrt_write, overflowed, 104);

SIZE(cdcrt_read, 104);
AT(cdcrt_read, size, 0);
AT(cdcrt_read, lock, 4);
AT(cdcrt_read, table, 8);
AT(cdcrt_read, columns, 40);
AT(cdcrt_read, column_count, 48);
AT(cdcrt_read, column_size, 52);
AT(cdcrt_read, key_count, 56);
AT(cdcrt_read, reserved, 60);
AT(cdcrt_read, keys, 64);
AT(cdcrt_read, key_rows, 72);
AT(cdcrt_read, visit, 80);
AT(cdcrt_read, context, 88);
AT(cdcrt_read, max_rows, 96);

SIZE(cdcrt_limits, 64);
AT(cdcrt_limits, size, 0);
AT(cdcrt_limits, name_bytes, 4);
AT(cdcrt_limits, columns, 8);
AT(cdcrt_limits, unkeyable_types, 12);
AT(cdcrt_limits, reserved_names, 16);
AT(cdcrt_limits, has_keyable_arrays, 32);
AT(cdcrt_limits, writers, 36);
AT(cdcrt_limits, time_us, 40);
AT(cdcrt_limits, bookkeeping_ms, 48);
AT(cdcrt_limits, text_bytes, 52);
AT(cdcrt_limits, row_bytes, 56);
AT(cdcrt_limits, reserved, 60);

SIZE(cdcrt_clock, 48);
AT(cdcrt_clock, size, 0);
AT(cdcrt_clock, reserved, 4);
AT(cdcrt_clock, owner, 8);
AT(cdcrt_clock, ahead_us, 24);
AT(cdcrt_clock, accuracy_us, 32);
AT(cdcrt_clock, allowed_us, 40);

SIZE(cdcrt_sink, 192);
AT(cdcrt_sink, size, 0);
AT(cdcrt_sink, capabilities, 4);
AT(cdcrt_sink, layout_options, 8);
AT(cdcrt_sink, layout_option_count, 16);
AT(cdcrt_sink, reserved, 20);
AT(cdcrt_sink, check_layout, 24);
AT(cdcrt_sink, create, 32);
AT(cdcrt_sink, capabilities_of, 40);
AT(cdcrt_sink, limits_of, 48);
AT(cdcrt_sink, identify, 56);
AT(cdcrt_sink, abandoned, 64);
AT(cdcrt_sink, open, 72);
AT(cdcrt_sink, begin, 80);
AT(cdcrt_sink, lock, 88);
AT(cdcrt_sink, expect, 96);
AT(cdcrt_sink, describe, 104);
AT(cdcrt_sink, change, 112);
AT(cdcrt_sink, read, 120);
AT(cdcrt_sink, read_together, 128);
AT(cdcrt_sink, savepoint, 136);
AT(cdcrt_sink, write, 144);
AT(cdcrt_sink, commit, 152);
AT(cdcrt_sink, rollback, 160);
AT(cdcrt_sink, close, 168);
AT(cdcrt_sink, destroy, 176);
AT(cdcrt_sink, clocks, 184);

SIZE(cdcrt_extent, 16);
AT(cdcrt_extent, done, 0);
AT(cdcrt_extent, total, 8);

SIZE(cdcrt_source_events, 32);
AT(cdcrt_source_events, size, 0);
AT(cdcrt_source_events, reserved, 4);
AT(cdcrt_source_events, self, 8);
AT(cdcrt_source_events, assigned, 16);
AT(cdcrt_source_events, revoked, 24);

SIZE(cdcrt_bounds, 16);
AT(cdcrt_bounds, first, 0);
AT(cdcrt_bounds, end, 8);

SIZE(cdcrt_place, 32);
AT(cdcrt_place, topic, 0);
AT(cdcrt_place, partition, 16);
AT(cdcrt_place, reserved, 20);
AT(cdcrt_place, offset, 24);

SIZE(cdcrt_places, 24);
AT(cdcrt_places, size, 0);
AT(cdcrt_places, place_size, 4);
AT(cdcrt_places, places, 8);
AT(cdcrt_places, count, 16);

SIZE(cdcrt_survey, 32);
AT(cdcrt_survey, size, 0);
AT(cdcrt_survey, files, 4);
AT(cdcrt_survey, left_out, 8);
AT(cdcrt_survey, unmet, 16);
AT(cdcrt_survey, context, 24);

SIZE(cdcrt_source, 152);
AT(cdcrt_source, size, 0);
AT(cdcrt_source, capabilities, 4);
AT(cdcrt_source, create, 8);
AT(cdcrt_source, list, 16);
AT(cdcrt_source, bounds, 24);
AT(cdcrt_source, origin, 32);
AT(cdcrt_source, offset_at, 40);
AT(cdcrt_source, survey, 48);
AT(cdcrt_source, seek, 56);
AT(cdcrt_source, start, 64);
AT(cdcrt_source, poll, 72);
AT(cdcrt_source, serve, 80);
AT(cdcrt_source, fetch, 88);
AT(cdcrt_source, commit, 96);
AT(cdcrt_source, extent, 104);
AT(cdcrt_source, stop, 112);
AT(cdcrt_source, destroy, 120);
AT(cdcrt_source, bounds_of, 128);
AT(cdcrt_source, origins_of, 136);
AT(cdcrt_source, messages_at, 144);

SIZE(cdcrt_plugin, 72);
AT(cdcrt_plugin, size, 0);
AT(cdcrt_plugin, abi_major, 4);
AT(cdcrt_plugin, abi_minor, 6);
AT(cdcrt_plugin, kind, 8);
AT(cdcrt_plugin, option_count, 12);
AT(cdcrt_plugin, name, 16);
AT(cdcrt_plugin, version, 24);
AT(cdcrt_plugin, summary, 32);
AT(cdcrt_plugin, license, 40);
AT(cdcrt_plugin, options, 48);
AT(cdcrt_plugin, functions, 56);
AT(cdcrt_plugin, notes, 64);

/* The oldest sizes that are taken are those of 0.7. */
static_assert(CDCRT_PLUGIN_SIZE_0_7 <= sizeof(cdcrt_plugin), "cdcrt_plugin shrank");
static_assert(CDCRT_OPTION_SIZE_0_7 <= sizeof(cdcrt_option), "cdcrt_option shrank");
static_assert(CDCRT_SOURCE_SIZE_0_7 <= sizeof(cdcrt_source), "cdcrt_source shrank");
static_assert(CDCRT_FORMAT_SIZE_0_7 <= sizeof(cdcrt_format), "cdcrt_format shrank");
static_assert(CDCRT_SINK_SIZE_0_7 <= sizeof(cdcrt_sink), "cdcrt_sink shrank");
static_assert(CDCRT_SHAPE_SIZE_0_7 <= sizeof(cdcrt_shape), "cdcrt_shape shrank");
static_assert(CDCRT_COLUMN_SIZE_0_7 <= sizeof(cdcrt_column), "cdcrt_column shrank");
static_assert(CDCRT_MESSAGE_SIZE_0_7 <= sizeof(cdcrt_message), "cdcrt_message shrank");

/* Enums cross as integers of fixed width; their own width does not matter, their numbers do. */
static_assert(CDCRT_BUSY == 10 && CDCRT_INTERVAL == 16 && CDCRT_TYPE_INTERVAL == 20 && CDCRT_MARKER == 7 && CDCRT_OPTION_PATHS == 11 &&
                  CDCRT_RENAME_COLUMN == 7 && CDCRT_WRITE_CLEAR == 7 && CDCRT_SINK == 3,
              "an enum was renumbered");

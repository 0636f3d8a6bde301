// A route's `layout` for Redshift: how a new table is spread over the slices, sorted and compressed.
#pragma once

#include "cdcrt/sdk/config.hpp"
#include "cdcrt/sdk/option.hpp"
#include "cdcrt/sdk/status.hpp"
#include "redshift_ddl.hpp"

namespace cdcrt::redshift {

/// Static rows.
sdk::OptionTable layout_options();

/// BAD_CONFIG names the option. Columns are looked up when the table is made.
sdk::Status read_layout(const sdk::Config& config, sql::redshift::Layout& out);

}  // namespace cdcrt::redshift

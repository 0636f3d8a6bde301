// Codes of every diagnostic about a manifest or a command line: declared once, here; never reused for another meaning.
//
// E01xx files and syntax, E02xx keys and values, E03xx references and interpolation, E04xx routes, E05xx plugins, E06xx files of other
// programs that `cdcrt manifest import` reads.
#pragma once

#include <span>
#include <string_view>

namespace cdcrt::diagnostics {

// clang-format off
#define CDCRT_DIAGNOSTIC_CODES(X)                                                                                   \
  X(kSyntax,              "E0101", "The file is not valid TOML.")                                                   \
  X(kFileUnreadable,      "E0102", "A manifest cannot be read: it is missing, a directory, too large or forbidden.") \
  X(kNotText,             "E0103", "A manifest is not UTF-8 text.")                                                 \
  X(kBadSet,              "E0104", "A --set argument is not of the form key.path=value.")                           \
  X(kIncludeCycle,        "E0105", "Files include each other in a circle.")                                         \
  X(kIncludeMissing,      "E0106", "An included file does not exist.")                                              \
  X(kMissingKey,          "E0201", "A required key or table is missing.")                                           \
  X(kWrongType,           "E0202", "A value has the wrong type.")                                                   \
  X(kUnknownKey,          "E0203", "A key is not known in its table.")                                              \
  X(kNotYetAvailable,     "E0204", "A key, value or command belongs to a later version.")          \
  X(kBadValue,            "E0205", "A value is outside what its key allows.")                                       \
  X(kDefinedTwice,        "E0206", "A key is defined twice: by two files of which one includes the other, or under its former name as well.") \
  X(kBadUnit,             "E0207", "A duration or a size is not written as a number and a known unit.")             \
  X(kBadName,             "E0208", "The name of a pipeline, source or sink holds characters that are not allowed.") \
  X(kPluginRefusedValue,  "E0209", "A plugin refused its settings.")                                                \
  X(kRenamedKey,          "E0210", "A warning: a key has another name now; the former one is still read.")          \
  X(kUnsetVariable,       "E0301", "An environment variable that the manifest uses is not set.")                    \
  X(kSecretFileUnreadable,"E0302", "A file that a ${file:...} names cannot be read.")                               \
  X(kBadInterpolation,    "E0304", "A ${...} is not well-formed or of a kind that does not exist.")                 \
  X(kUnknownSink,         "E0305", "A route names a sink that the manifest does not define.")                       \
  X(kSinkNotNamed,        "E0306", "There are several sinks and nothing says which one a table goes to.")           \
  X(kSecretUnavailable,   "E0307", "A secret that a ${aws-sm:...} or ${redshift-iam:...} names cannot be read.")     \
  X(kBadPattern,          "E0401", "A pattern of a route cannot be read.")                                          \
  X(kRouteTie,            "E0402", "Two routes match the same tables equally well.")                              \
  X(kBadTemplate,         "E0403", "A template has unknown placeholders or is not well-formed.")                    \
  X(kBadColumnType,       "E0404", "A column's type cannot be read.")                                               \
  X(kBadColumnRule,       "E0405", "The settings of a column contradict each other.")                               \
  X(kBadRoute,            "E0406", "The settings of a route contradict each other.")                                \
  X(kPluginNotFound,      "E0501", "A plugin was not found in any of the searched places.")                         \
  X(kPluginRefused,       "E0502", "A plugin's file was found and cannot be used.")                                 \
  X(kBrokenOptionTable,   "E0503", "A plugin's own option table is wrong; only the plugin's author can repair it.") \
  X(kPluginFailed,        "E0504", "A plugin could not begin to work: what it needs is missing or refuses.")         \
  X(kHttpFailed,          "E0505", "The server of metrics and health cannot begin: its address is taken, or its certificate cannot be used.") \
  X(kBrokenProperties,    "E0601", "A line of a .properties file cannot be read.")                                  \
  X(kBrokenJson,          "E0602", "A value that has to be JSON is not, or is of another form.")                    \
  X(kActsOtherwise,       "E0603", "A warning: an option of an imported job has no counterpart, or acts otherwise here.")
// clang-format on

#define CDCRT_DECLARE_CODE(constant, code, meaning) inline constexpr std::string_view constant = code;
CDCRT_DIAGNOSTIC_CODES(CDCRT_DECLARE_CODE)
#undef CDCRT_DECLARE_CODE

struct CodeDescription {
  std::string_view code;     ///< "E0203"
  std::string_view meaning;  ///< one line, for the generated reference
};

/// Every code, ascending. Static.
std::span<const CodeDescription> all_codes();

/// True for codes that stand for the environment (exit code 3), not for what the manifest says (exit code 2).
bool is_environment_code(std::string_view code);

}  // namespace cdcrt::diagnostics

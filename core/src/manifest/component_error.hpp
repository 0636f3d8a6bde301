// An error of a plugin as a diagnostic at the place of the manifest that caused it.
#pragma once

#include <string_view>

#include "diagnostics/diagnostic.hpp"
#include "diagnostics/ending.hpp"
#include "diagnostics/result.hpp"
#include "manifest/manifest.hpp"

namespace cdcrt::manifest {

/// BAD_CONFIG with a key: where that key was given, else the component's table. Render with the manifest's `texts`.
diagnostics::Diagnostic diagnostic_for(const Component& component, const Error& error);

/// Lines of the error's message after the first become notes.
diagnostics::Diagnostic diagnostic_of(std::string_view code, Position position, const Error& error);

/// How the process ends because of the error: kEnvironment also where a target was asked and refused.
diagnostics::Ending ending_of(const Error& error);

}  // namespace cdcrt::manifest

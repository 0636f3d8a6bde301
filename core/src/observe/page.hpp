// The page at /: a pipeline as people look at it in a browser, drawn there from /status.
#pragma once

#include "observe/http_message.hpp"

namespace cdcrt::observe {

/// page.html as it stands, made a text of the program by the build.
extern const char* const kPageText;

/// With headers that let the browser run the page's own script and style, ask this process, and do nothing else.
Response page();

}  // namespace cdcrt::observe

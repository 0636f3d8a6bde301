// The two forms in which Amazon's services say why they refuse: XML of the query services, JSON of the newer ones.
#pragma once

#include <string>

#include "aws/service_caller.hpp"

namespace cdcrt::aws {

/// <ErrorResponse><Error><Code>..</Code><Message>..</Message></Error></ErrorResponse>: STS, Redshift. Empty for statuses 200..299.
ServiceError read_query_error(const HttpAnswer& answer);

/// {"__type":"com.amazonaws...#ResourceNotFoundException","Message":"..."}: Secrets Manager, Redshift Serverless. Empty for 200..299.
/// XML is read as well.
ServiceError read_json_error(const HttpAnswer& answer);

/// What to do where a signature was refused because of the time in it; empty: that is not why.
std::string clock_advice(const ServiceAnswer& answer);

}  // namespace cdcrt::aws

#!/bin/sh
# Tries what schemathesis can think of on a running Kontor, by its own description.
#   KONTOR_URL    such as http://127.0.0.1:8080
#   KONTOR_TOKEN  a token of a tenant made for this, with all scopes; its data do not survive
# Needs schemathesis 4 (pip install schemathesis). More arguments are passed on to it.
set -eu
: "${KONTOR_URL:?set KONTOR_URL to the address of a running Kontor}"
: "${KONTOR_TOKEN:?set KONTOR_TOKEN to a token of a tenant made for this}"
# tenants need an operator's token; revoking tokens would revoke the one in use
exec schemathesis --config-file "$(dirname "$0")/schemathesis.toml" run "$KONTOR_URL/api/v1/openapi.json" \
    --header "Authorization: Bearer $KONTOR_TOKEN" \
    --exclude-path-regex '^/api/v1/tenants' --exclude-operation-id revokeToken \
    --checks all --exclude-checks positive_data_acceptance \
    --max-examples "${KONTOR_EXAMPLES:-20}" "$@"

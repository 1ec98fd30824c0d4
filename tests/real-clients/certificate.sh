#!/usr/bin/env bash
# Makes a throw-away authority and one certificate for Azure's hosts, good for two days.
# Usage: certificate.sh FOLDER
set -euo pipefail
cd "$1"
hosts=DNS:management.azure.com,DNS:login.microsoftonline.com,DNS:graph.microsoft.com
hosts+=,DNS:api.loganalytics.io,DNS:api.loganalytics.azure.com,DNS:*.vault.azure.net
key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
{
    openssl req -x509 "${key[@]}" -days 2 -subj "/CN=throw-away authority" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign \
        -keyout authority.key -out authority.pem
    openssl req "${key[@]}" -subj "/CN=double of Azure" -keyout hosts.key -out hosts.csr
    openssl x509 -req -in hosts.csr -CA authority.pem -CAkey authority.key -days 2 -out hosts.pem \
        -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' "$hosts")
} 2>openssl.log || { cat openssl.log >&2; exit 1; }
rm authority.key hosts.csr

#!/bin/sh
# Makes a certificate for a server on a local network, and a certificate authority that devices can trust for it.
#
#   sh lan-certificate.sh FOLDER ADDRESS-OR-NAME...
#
# FOLDER gets certificate.pem and key.pem for the server, and ca.pem for the devices. The authority signs this one
# certificate and its key is thrown away: nobody, its maker included, can make another one that the devices would
# trust. For another address, or after 820 days (the most that Apple's devices take is 825), run it again and give
# the new ca.pem to the devices.
set -eu

if [ "$#" -lt 2 ]; then
  echo "usage: sh lan-certificate.sh FOLDER ADDRESS-OR-NAME..." >&2
  exit 2
fi
folder=$1
shift
days=820
first=$1
names=
for name in "$@"; do
  case $name in
    *:*) kind=IP ;;
    *[!0-9.]*) kind=DNS ;;
    *) kind=IP ;;
  esac
  names="${names:+$names,}$kind:$name"
done

umask 077
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/openssl.cnf" <<END
[req]
distinguished_name = subject
prompt = no
[subject]
CN = $first
[ca]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = $names
END

new_key() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"
}

new_key "$work/ca-key.pem"
openssl req -new -x509 -config "$work/openssl.cnf" -extensions ca -sha256 -days "$days" \
  -subj "/CN=Undertone on $first" -key "$work/ca-key.pem" -out "$work/ca.pem"
new_key "$work/key.pem"
openssl req -new -config "$work/openssl.cnf" -key "$work/key.pem" -out "$work/request.pem"
openssl x509 -req -in "$work/request.pem" -CA "$work/ca.pem" -CAkey "$work/ca-key.pem" -CAcreateserial \
  -extfile "$work/openssl.cnf" -extensions server -sha256 -days "$days" -out "$work/certificate.pem" 2> "$work/log" ||
  { cat "$work/log" >&2; exit 1; }

# The key first: a running server takes the pair when the certificate follows.
mv "$work/key.pem" "$folder/key.pem"
mv "$work/certificate.pem" "$folder/certificate.pem"
mv "$work/ca.pem" "$folder/ca.pem"
chmod 644 "$folder/certificate.pem" "$folder/ca.pem"
echo "For the server: $folder/certificate.pem and $folder/key.pem"
echo "For the devices: $folder/ca.pem, SHA-256 $(openssl x509 -in "$folder/ca.pem" -noout -fingerprint -sha256 | cut -d= -f2)"

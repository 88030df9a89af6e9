#!/bin/sh
# Checks a receipt of tidegate's ledger with openssl (3 or newer), sha256sum, jq and xxd, and nothing else.
#
#   verify-entry.sh RECEIPT.json VERIFIER-KEY [WITNESS-KEY ...]
#
# Keys are written <name>+<key id>+<base64>, as C2SP signed-note has them, and come from somewhere else than the receipt.
# A witness key must have cosigned the receipt's checkpoint. Where the log's key was replaced since you were told it, each line of
# the log's file `handovers` is a receipt: checked with the old key it prints the entry that names the new one. Prints the entry where everything fits; says what does not,
# and ends with 1, where something does not.
set -eu
LC_ALL=C
export LC_ALL

fail() {
    echo "verify-entry: $*" >&2
    exit 1
}

[ $# -ge 2 ] || fail "usage: verify-entry.sh RECEIPT.json VERIFIER-KEY [WITNESS-KEY ...]"
receipt=$1
shift
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

field() { jq -er ".$1" "$receipt" 2>/dev/null || fail "the receipt has no field \`$1\`"; }
hex() { xxd -p | tr -d '\n'; }
# SHA-256, in hexadecimal, of bytes given in hexadecimal.
sha256_hex() { printf %s "$1" | xxd -r -p | sha256sum | cut -c1-64; }

[ "$(field format)" = tidegate-receipt/v1 ] || fail "the document is not a receipt of a format known here"

# 1. The checkpoint: a text, an empty line, lines of signatures.
jq -ej .checkpoint "$receipt" > "$tmp/note" || fail "the receipt has no checkpoint"
awk -v text="$tmp/text" -v lines="$tmp/lines" '
    { all[NR] = $0; if ($0 == "") blank = NR }
    END {
        for (i = 1; i < blank; i++) print all[i] > text
        for (i = blank + 1; i <= NR; i++) print all[i] > lines
    }' "$tmp/note"
[ -s "$tmp/text" ] && [ -s "$tmp/lines" ] || fail "the checkpoint is not a signed note"

# Who signed: names and key ids.
signers() {
    while IFS= read -r line; do
        signature=$(printf %s "${line##* }" | openssl base64 -d -A | hex)
        name=${line#"— "}
        printf '%s+%s ' "${name% *}" "${signature%"${signature#????????}"}"
    done < "$tmp/lines"
}

# Checks that the key $1 signed; kind $2 is 01 for the key of a log, 04 for one of a witness.
signed_by() {
    name=${1%%+*}
    rest=${1#*+}
    id=${rest%%+*}
    key=$(printf %s "${rest#*+}" | openssl base64 -d -A | hex)
    [ "${#key}" -eq 66 ] && [ "${key%"${key#??}"}" = "$2" ] || fail "\`$1\` is not a key of the right kind"
    want=$(sha256_hex "$(printf '%s\n' "$name" | hex)$key" | cut -c1-8)
    [ "$want" = "$id" ] || fail "the id of the key \`$1\` is not that of its name and bytes"
    # The subject public key info of an Ed25519 key is its 32 bytes after this prefix (RFC 8410).
    printf '302a300506032b6570032100%s' "${key#??}" | xxd -r -p > "$tmp/key.der"
    found=
    while IFS= read -r line; do
        case $line in "— $name "*) ;; *) continue ;; esac
        signature=$(printf %s "${line#"— $name "}" | openssl base64 -d -A | hex)
        case $signature in "$id"*) ;; *) continue ;; esac
        signature=${signature#"$id"}
        cp "$tmp/text" "$tmp/message"
        if [ "$2" = 04 ]; then
            time=$((0x${signature%"${signature#????????????????}"}))
            signature=${signature#????????????????}
            { printf 'cosignature/v1\ntime %s\n' "$time"; cat "$tmp/text"; } > "$tmp/message"
        fi
        printf %s "$signature" | xxd -r -p > "$tmp/signature"
        openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$tmp/key.der" \
            -in "$tmp/message" -sigfile "$tmp/signature" > /dev/null 2>&1 ||
            fail "the signature by \`$name\` does not fit the checkpoint"
        found=yes
    done < "$tmp/lines"
    [ -n "$found" ] || fail "the checkpoint is not signed by \`$1\`, but by: $(signers)"
}

signed_by "$1" 01
[ "$(sed -n 1p "$tmp/text")" = "${1%%+*}" ] || fail "the checkpoint is of another log than the key"
shift
for witness; do signed_by "$witness" 04; done

size=$(sed -n 2p "$tmp/text")
root=$(sed -n 3p "$tmp/text" | openssl base64 -d -A | hex)
[ "$(field size)" = "$size" ] || fail "the proof is for another tree than the checkpoint"
index=$(jq -er '.index | select(type == "number") | tostring' "$receipt") || fail "the receipt has no index"
case $index$size in *[!0-9]*) fail "index or size is not a number" ;; esac
[ "$index" -lt "$size" ] || fail "the entry stands outside of the tree"

# 2. The entry, byte by byte, is the leaf (RFC 6962): SHA-256(00 ‖ entry).
jq -ej .entry "$receipt" > "$tmp/entry" || fail "the receipt has no entry"
hash=$({ printf '\000'; cat "$tmp/entry"; } | sha256sum | cut -c1-64)

# 3. From the leaf to the root (RFC 9162 §2.1.3.2): SHA-256(01 ‖ left ‖ right).
fn=$index
sn=$((size - 1))
for step in $(jq -r '.proof[]' "$receipt"); do
    case $step in *[!0-9a-f]*) fail "a hash of the proof is not hexadecimal" ;; esac
    [ "${#step}" -eq 64 ] || fail "a hash of the proof has not 32 bytes"
    [ "$sn" -gt 0 ] || fail "the proof is too long"
    if [ $((fn & 1)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
        hash=$(sha256_hex "01$step$hash")
        while [ $((fn & 1)) -eq 0 ] && [ "$fn" -gt 0 ]; do
            fn=$((fn >> 1))
            sn=$((sn >> 1))
        done
    else
        hash=$(sha256_hex "01$hash$step")
    fi
    fn=$((fn >> 1))
    sn=$((sn >> 1))
done
[ "$sn" -eq 0 ] || fail "the proof is too short"
[ "$hash" = "$root" ] || fail "the proof does not lead to the root: the entry or the proof was changed"

# 4. The entry is the one that the receipt names.
record=$(jq -er '"\(.node)-\(.seq)"' "$tmp/entry") || fail "the entry is not JSON"
[ "$(field record)" = "$record" ] || fail "the receipt names another entry than it holds"

cat "$tmp/entry"
echo

package imip

import (
	"bytes"
	"io"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// toUTF8 reads text of a labelled charset. Valid UTF-8 is UTF-8 whatever the
// label says, because wrong labels are common and text in another charset is
// hardly ever valid UTF-8 by accident; then the label counts; then windows-1252,
// which has a character for nearly every octet. A byte order mark is removed.
func toUTF8(b []byte, label string) string {
	label = strings.ToLower(strings.TrimSpace(label))
	var enc encoding.Encoding
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		enc = unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	case strings.HasPrefix(label, "utf-16") && bytes.IndexByte(b, 0) >= 0:
		enc = unicode.UTF16(unicode.BigEndian, unicode.UseBOM) // RFC 2781 4.3: big-endian without a mark
		if label == "utf-16le" {
			enc = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
		}
	// ISO-2022-JP and HZ are 7-bit, therefore always valid UTF-8 and yet not.
	case utf8.Valid(b) && !(strings.HasPrefix(label, "iso-2022") && bytes.IndexByte(b, 0x1b) >= 0) && !(strings.HasPrefix(label, "hz") && bytes.Contains(b, []byte("~{"))):
		return strings.TrimPrefix(string(b), "\ufeff")
	default:
		enc = encodingOf(label)
	}
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		out = []byte(strings.ToValidUTF8(string(b), "\ufffd"))
	}
	return strings.TrimPrefix(string(out), "\ufeff")
}

// encodingOf finds a charset by its label in WHATWG's index, which knows the
// aliases that occur. Without a usable label it is windows-1252.
func encodingOf(label string) encoding.Encoding {
	if label != "" && label != "utf-8" && label != "utf8" {
		if e, err := htmlindex.Get(label); err == nil && e != unicode.UTF8 {
			return e
		}
		if rest, ok := strings.CutPrefix(label, "cp"); ok {
			if e, err := htmlindex.Get("windows-" + rest); err == nil {
				return e
			}
		}
	}
	return charmap.Windows1252
}

// decodeWords replaces the encoded words of RFC 2047 in a header value. What
// cannot be decoded stays as it is; raw 8-bit text is read as [toUTF8] reads it.
func decodeWords(s string) string {
	if !utf8.ValidString(s) {
		s = toUTF8([]byte(s), "")
	}
	if !strings.Contains(s, "=?") {
		return s
	}
	d := mime.WordDecoder{CharsetReader: func(label string, r io.Reader) (io.Reader, error) {
		b, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		return strings.NewReader(toUTF8(b, label)), nil
	}}
	out, err := d.DecodeHeader(s)
	if err != nil {
		return s
	}
	return out
}

package imip

import (
	"encoding/base64"
	"strings"
)

// decodeTransfer undoes a Content-Transfer-Encoding (RFC 2045 6). It never
// fails: what is not in the encoding is passed over (base64) or kept
// (quoted-printable), as mail programs do.
func decodeTransfer(body []byte, encoding string) []byte {
	switch e, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(encoding)), ";"); strings.TrimSpace(e) {
	case "base64":
		return decodeBase64(body)
	case "quoted-printable":
		return decodeQuotedPrintable(body)
	}
	return body
}

// decodeBase64 skips every octet outside the alphabet, takes the URL alphabet
// for the ordinary one, does without padding, and reads on behind padding in
// the middle, where encoded pieces were put together.
func decodeBase64(body []byte) []byte {
	clean := make([]byte, 0, len(body))
	out := make([]byte, 0, len(body)*3/4+3)
	flush := func() {
		if len(clean)%4 == 1 {
			clean = clean[:len(clean)-1] // six bits make no octet
		}
		buf := make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
		n, _ := base64.RawStdEncoding.Decode(buf, clean)
		out = append(out, buf[:n]...)
		clean = clean[:0]
	}
	for _, c := range body {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '+', c == '/':
			clean = append(clean, c)
		case c == '-':
			clean = append(clean, '+')
		case c == '_':
			clean = append(clean, '/')
		case c == '=' && len(clean) > 0:
			flush()
		}
	}
	flush()
	return out
}

func decodeQuotedPrintable(body []byte) []byte {
	out := make([]byte, 0, len(body))
	for len(body) > 0 {
		i := 0
		for i < len(body) && body[i] != '\n' {
			i++
		}
		line, end := body[:i], []byte(nil)
		if i < len(body) {
			end = body[i : i+1]
			if i > 0 && body[i-1] == '\r' {
				line, end = body[:i-1], body[i-1:i+1]
			}
			i++
		}
		body = body[i:]
		// RFC 2045 6.7 (3): blanks at the end of a line were added on the way.
		for len(line) > 0 && (line[len(line)-1] == ' ' || line[len(line)-1] == '\t') {
			line = line[:len(line)-1]
		}
		soft := len(line) > 0 && line[len(line)-1] == '='
		if soft {
			line = line[:len(line)-1]
		}
		for j := 0; j < len(line); j++ {
			if line[j] == '=' && j+2 < len(line) {
				if hi, lo := nibble(line[j+1]), nibble(line[j+2]); hi >= 0 && lo >= 0 {
					out = append(out, byte(hi<<4|lo))
					j += 2
					continue
				}
			}
			out = append(out, line[j])
		}
		if !soft {
			out = append(out, end...)
		}
	}
	return out
}

func nibble(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

package xcal

import (
	"bytes"
	"strconv"
)

// appendName appends a name of iCalendar in lower case as an XML name. Octets
// that no XML name has there are written _xHH_, in hexadecimal, and so is the
// underscore of a text that looks like that.
func appendName(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z':
			b = append(b, c)
		case 'A' <= c && c <= 'Z':
			b = append(b, c+'a'-'A')
		case c == '_' && (i+1 == len(s) || s[i+1]|0x20 != 'x'):
			b = append(b, c)
		case i > 0 && ('0' <= c && c <= '9' || c == '-' || c == '.'):
			b = append(b, c)
		default:
			b = append(b, "_x"...)
			if c < 0x10 {
				b = append(b, '0')
			}
			b = strconv.AppendUint(b, uint64(c), 16)
			b = append(b, '_')
		}
	}
	return b
}

// decodeName undoes appendName.
func decodeName(name []byte) []byte {
	if bytes.IndexByte(name, '_') < 0 {
		return name
	}
	b := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		if name[i] == '_' && i+5 <= len(name) && name[i+1]|0x20 == 'x' && name[i+4] == '_' {
			if c, err := strconv.ParseUint(string(name[i+2:i+4]), 16, 8); err == nil {
				b = append(b, byte(c))
				i += 4
				continue
			}
		}
		b = append(b, name[i])
	}
	return b
}

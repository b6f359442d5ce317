package vcal1

import (
	"encoding/base64"
	"strings"
)

// lineLength is the most octets of a line without its end (v§2.1.3: fewer
// than 76 characters).
const lineLength = 75

// line writes a property: as it is where it fits on a line of ASCII, else
// quoted-printable, as UTF-8.
func (w *writer) line(name string, params []parameter, value string) {
	head := name + parameters(params)
	if len(head)+1+len(value) <= lineLength && printable(value) {
		w.b.WriteString(head + ":" + value + "\r\n")
		return
	}
	if !ascii(value) {
		head += ";CHARSET=UTF-8"
	}
	head += ";ENCODING=QUOTED-PRINTABLE:"
	w.b.WriteString(head)
	column := len(head)
	value = strings.ReplaceAll(value, "\n", "\r\n")
	const digits = "0123456789ABCDEF"
	for i := 0; i < len(value); i++ {
		c := value[i]
		code := string(c)
		// At the start of a line white space would not count and BEGIN or END
		// would be those of a component; at the end white space would be cut.
		start := column == 0 && (c == ' ' || c == '\t' || c|0x20 == 'b' || c|0x20 == 'e')
		if c == '=' || c < ' ' || c > '~' || start || c == ' ' && (i == 0 || i == len(value)-1) {
			code = "=" + digits[c>>4:c>>4+1] + digits[c&15:c&15+1]
		}
		if column+len(code) > lineLength-1 {
			w.b.WriteString("=\r\n")
			column = 0
			i-- // again, at the start of a line
			continue
		}
		w.b.WriteString(code)
		if column += len(code); c == '\n' && i < len(value)-1 {
			w.b.WriteString("=\r\n")
			column = 0
		}
	}
	w.b.WriteString("\r\n")
}

// base64 writes octets, ended by the blank line the format wants.
func (w *writer) base64(name string, params []parameter, data []byte) {
	w.b.WriteString(name + parameters(append(params, parameter{"ENCODING", "BASE64"})) + ":\r\n")
	text := base64.StdEncoding.EncodeToString(data)
	for len(text) > 0 {
		n := min(len(text), lineLength-4)
		w.b.WriteString("    " + text[:n] + "\r\n")
		text = text[n:]
	}
	w.b.WriteString("\r\n")
}

func parameters(list []parameter) string {
	var b strings.Builder
	for _, p := range list {
		b.WriteString(";" + p.name + "=" + strings.ReplaceAll(p.value, ";", `\;`))
	}
	return b.String()
}

// sayable tells a parameter value that the format can hold: it knows no quotes.
func sayable(v string) bool {
	return v != "" && len(v) < 40 && printable(v) && !strings.ContainsAny(v, `:"=\`)
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] > '~' {
			return false
		}
	}
	return true
}

// printable tells text that survives on a line as it is.
func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return s == strings.TrimSpace(s)
}

// escapeField makes text a part of a compound value. A backslash at its end
// would take the separator for its own, so a blank, which does not count,
// follows it.
func escapeField(s string) string {
	s = strings.ReplaceAll(s, ";", `\;`)
	if strings.HasSuffix(s, `\`) {
		s += " "
	}
	return s
}

func compound(list ...string) string {
	for i := range list {
		list[i] = escapeField(list[i])
	}
	return strings.Join(list, ";")
}

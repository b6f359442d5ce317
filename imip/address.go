package imip

import "strings"

// Mailbox is a name and an address, as in a From field.
type Mailbox struct {
	Name    string // for people, may be empty
	Address string // addr-spec, without brackets
}

// ParseMailboxes reads an address field (RFC 5322 3.4) tolerantly. Only what
// stands in angle brackets, or a bare address, is an address: a name or a
// comment that looks like one never is. Groups are read as their members.
func ParseMailboxes(value string) []Mailbox {
	var list []Mailbox
	var name, word, addr strings.Builder
	inAngle, hasAngle := false, false
	add := func() {
		n := strings.TrimSpace(name.String() + word.String())
		switch a := strings.TrimSpace(addr.String()); {
		case hasAngle && a != "":
			if i := strings.LastIndexByte(a, ':'); strings.HasPrefix(a, "@") && i > 0 {
				a = a[i+1:] // a source route, RFC 5322 4.4
			}
			list = append(list, Mailbox{Name: strings.TrimSpace(decodeWords(n)), Address: a})
		case !hasAngle && name.Len() == 0 && strings.Contains(n, "@"):
			list = append(list, Mailbox{Address: strings.ReplaceAll(n, " ", "")})
		}
		name.Reset()
		word.Reset()
		addr.Reset()
		inAngle, hasAngle = false, false
	}
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == '(' && !inAngle: // a comment
			depth := 1
			for i++; i < len(value); i++ {
				if value[i] == '\\' {
					i++
				} else if value[i] == '(' {
					depth++
				} else if value[i] == ')' {
					if depth--; depth == 0 {
						break
					}
				}
			}
		case c == '"':
			var q strings.Builder
			for i++; i < len(value) && value[i] != '"'; i++ {
				if value[i] == '\\' && i+1 < len(value) {
					i++
				}
				q.WriteByte(value[i])
			}
			if inAngle { // "odd local part"@example.com
				addr.WriteString(`"` + q.String() + `"`)
			} else if i+1 < len(value) && value[i+1] == '@' {
				word.WriteString(`"` + q.String() + `"`)
			} else { // a quoted name makes what follows no bare address
				name.WriteString(word.String() + q.String() + " ")
				word.Reset()
			}
		case c == '<':
			if hasAngle { // two addresses with the comma forgotten
				add()
			}
			inAngle, hasAngle = true, true
		case c == '>':
			inAngle = false
		case c == ',' && !inAngle, c == ';' && !inAngle:
			add()
		case c == ':' && !inAngle && !strings.Contains(word.String(), "@"): // a group's name
			name.Reset()
			word.Reset()
		case inAngle:
			addr.WriteByte(c)
		default:
			word.WriteByte(c)
		}
	}
	add()
	return list
}

// soleAddress is the address of a field that names exactly one, over all its
// occurrences; "" where there is none or where there are different ones. A mail
// with two From fields is shown differently by different programs, so it
// proves nothing.
func soleAddress(fields []string) string {
	sole := ""
	for _, f := range fields {
		for _, m := range ParseMailboxes(f) {
			if sole != "" && !strings.EqualFold(sole, m.Address) {
				return ""
			}
			sole = m.Address
		}
	}
	return sole
}

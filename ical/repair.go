package ical

import (
	"strings"
	"unicode/utf8"
)

// mend puts right what is written in a way that a strict reader refuses or
// misreads. The octets stay as they are; the logical line says what is meant,
// and where its name ends and its value begins.
func (p *parser) mend(l *content, text string, value int, q *Property) (string, int, int) {
	kind := roleOf(upper(text[:l.name]))
	if kind == roleNone {
		return text, l.name, value
	}
	m := mender{line: l.line, text: text, name: l.name, value: value}
	m.octets(kind == roleAddress)
	switch kind {
	case roleDate:
		m.dates(true)
	case roleStamp:
		m.dates(false)
	case roleAddress:
		m.addressParams()
		m.address()
	case roleEnum:
		m.enum()
	case roleSequence:
		m.sequence()
	case roleProfile:
		m.rename("METHOD")
		m.enum()
	case roleScale:
		m.rename("CALSCALE")
	}
	if m.mended {
		q.flags |= repaired
	}
	p.repairs = append(p.repairs, m.repairs...)
	return m.text, m.name, m.value
}

type mender struct {
	line        int
	repairs     []Repair
	text        string
	name, value int
	mended      bool
}

func (m *mender) repair(rule, what string) {
	m.repairs = append(m.repairs, Repair{m.line, rule, what})
}

func (m *mender) params() string { return m.text[m.name : m.value-1] }

func (m *mender) set(params, value string) {
	name := m.text[:m.name]
	m.text = name + params + ":" + value
	m.value = len(name) + len(params) + 1
	m.mended = true
}

func (m *mender) rename(name string) {
	m.repair("LEN-08", upper(m.text[:m.name])+" read as "+name)
	m.text = name + m.text[m.name:]
	m.value += len(name) - m.name
	m.name = len(name)
	m.mended = true
}

// octets leaves out of a value what none may have, and reads it as UTF-8 (RFC 5545
// 3.1, 3.1.4), before it is looked at: what it says must not depend on whether it
// was tidied before.
func (m *mender) octets(address bool) {
	value := m.text[m.value:]
	switch {
	case hasControls(value):
		m.repair("LEN-01", "controls in "+upper(m.text[:m.name])+" ignored")
	case address || utf8.ValidString(value): // what is not ASCII changes no address
		return
	}
	m.set(m.params(), dropControls(value))
}

// dates mends date and time spellings: LEN-02, LEN-03, and the parameter
// THISANDFUTURE without its name (LEN-08).
func (m *mender) dates(local bool) {
	value, params := m.text[m.value:], m.params()
	form := formOf(value)
	if !local {
		if form == formUTC {
			return
		}
	} else if params == "" && (form == formUTC || form == formLocal) {
		return
	} else if form == formDate && params == ";VALUE=DATE" {
		return
	} else if form == formLocal && strings.HasPrefix(params, ";TZID=") && strings.IndexByte(params[1:], ';') < 0 {
		return
	}
	name := upper(m.text[:m.name])
	differs := false
	fix := func(rule, what string) {
		m.repair(rule, name+what)
		differs = true
	}
	if form == formOther {
		if fixed, ok := mendDateTimes(value); ok && fixed != value {
			fix("LEN-02", ` "`+clip(value)+`" read as `+clip(fixed))
			value, form = fixed, formOf(fixed)
		}
	}
	if !local {
		if _, zoned := param(params, "TZID"); form == formLocal && !zoned {
			fix("LEN-02", " without Z read as UTC")
			value += "Z"
		}
	} else {
		kind, _ := param(params, "VALUE")
		isDate := strings.EqualFold(kind, "DATE")
		if isDate && (form == formLocal || form == formUTC) {
			if value[8:15] == "T000000" {
				fix("LEN-02", " with VALUE=DATE read as a date")
				value, form = value[:8], formDate
			} else {
				fix("LEN-02", " with VALUE=DATE read as a time")
				params = without(params, "VALUE")
			}
		} else if form == formDate && !isDate {
			fix("LEN-02", " read as VALUE=DATE")
			params = ";VALUE=DATE" + without(params, "VALUE")
		}
		if _, zoned := param(params, "TZID"); form == formUTC && zoned {
			fix("LEN-03", " in UTC: TZID ignored")
			params = without(params, "TZID")
		}
		if name == "RECURRENCE-ID" {
			if v, ok := param(params, "THISANDFUTURE"); ok && v == "" {
				fix("LEN-08", ": THISANDFUTURE read as RANGE=THISANDFUTURE")
				params = without(params, "THISANDFUTURE") + ";RANGE=THISANDFUTURE"
			}
		}
	}
	if differs {
		m.set(params, value)
	}
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// oldName gives today's name of a parameter of ATTENDEE and ORGANIZER in the
// drafts and in RFC 2447's examples (LEN-08).
func oldName(name string) string {
	switch name {
	case "ATTSTAT", "STATUS":
		return "PARTSTAT"
	case "TYPE":
		return "CUTYPE"
	}
	return ""
}

// enumParam tells the parameters that take one of a list of words (LEN-10).
func enumParam(name string) bool {
	switch name {
	case "PARTSTAT", "ROLE", "CUTYPE", "RSVP", "SCHEDULE-AGENT", "SCHEDULE-FORCE-SEND":
		return true
	}
	return false
}

// oddAddressParams tells whether there may be anything for addressParams to
// do, in one pass: every ATTENDEE read goes through it.
func oddAddressParams(s string) bool {
	for i := 0; i < len(s); {
		from := i + 1
		for i = from; i < len(s) && s[i] != '='; i++ {
			if c := s[i]; c == ';' || c == '"' || 'a' <= c && c <= 'z' {
				return true
			}
		}
		if i == len(s) {
			return true
		}
		name := s[from:i]
		lower := false
		from = i + 1
		for i = from; i < len(s) && s[i] != ';'; i++ {
			switch c := s[i]; {
			case c == '"':
				end := strings.IndexByte(s[i+1:], '"')
				if end < 0 {
					return true
				}
				i += end + 1
			case 'a' <= c && c <= 'z':
				lower = true
			}
		}
		switch len(name) {
		case len("TYPE"), len("STATUS"), len("ATTSTAT"), len("PARTSTAT"), len("SCHEDULE-AGENT"), len("SCHEDULE-FORCE-SEND"):
			value := s[from:i]
			if oldName(name) != "" || enumParam(name) && (lower || value == "YES" || value == "NO") {
				return true
			}
		}
	}
	return false
}

// addressParams mends the parameters of ATTENDEE and ORGANIZER.
func (m *mender) addressParams() {
	section := m.params()
	if section == "" || !oddAddressParams(section) {
		return
	}
	has := map[string]bool{}
	for _, name := range [...]string{"PARTSTAT", "CUTYPE"} {
		_, has[name] = param(section, name)
	}
	var b strings.Builder
	differs := false
	for s := (params{rest: section}); s.next(); {
		name, value := upper(s.name), s.value
		if s.bare && name == "MAILTO" && s.rest == "" {
			// ATTENDEE;CUTYPE=INDIVIDUAL;mailto:a@example.com
			m.repair("LEN-09", "mailto: after a semicolon read as the address")
			m.set(b.String(), "mailto:"+m.text[m.value:])
			return
		}
		if to := oldName(name); to != "" && !has[to] {
			m.repair("LEN-08", name+" read as "+to)
			name, differs, has[to] = to, true, true
		}
		if enumParam(name) {
			value = upper(value)
			if name == "RSVP" && (value == "YES" || value == "NO") {
				m.repair("LEN-08", "RSVP="+value+" read as TRUE or FALSE")
				value = map[string]string{"YES": "TRUE", "NO": "FALSE"}[value]
			}
		}
		differs = differs || value != s.value
		s.name, s.value = name, value
		s.write(&b)
	}
	if differs {
		m.set(b.String(), m.text[m.value:])
	}
}

// address mends address spellings (LEN-09).
func (m *mender) address() {
	value := m.text[m.value:]
	if fixed := string(ParseAddress(value)); fixed != value {
		if strings.HasPrefix(fixed, mailto) && hasMailto(value) && fixed[len(mailto):] == value[len(mailto):] {
			m.set(m.params(), fixed) // MAILTO: is no fault (RFC 3986 3.1)
			return
		}
		m.repair("LEN-09", `address "`+clip(value)+`" read as `+clip(fixed))
		m.set(m.params(), fixed)
	}
}

// enum mends enumerated values: any case (LEN-10), blanks around, and the
// drafts' blank for a hyphen (LEN-08).
func (m *mender) enum() {
	value := m.text[m.value:]
	fixed := value
	if hasLower(fixed) {
		fixed = upper(fixed)
	}
	fixed = strings.TrimSpace(fixed)
	if fixed == "NEEDS ACTION" {
		m.repair("LEN-08", "NEEDS ACTION read as NEEDS-ACTION")
		fixed = "NEEDS-ACTION"
	}
	if fixed != value {
		m.set(m.params(), fixed)
	}
}

// maxInteger is the largest INTEGER (RFC 5545 3.3.8).
const maxInteger = "2147483647"

// sequence mends a SEQUENCE that is no INTEGER: a huge one is cut, anything
// else counts as 0 (LEN-12).
func (m *mender) sequence() {
	value := m.text[m.value:]
	fixed := strings.TrimSpace(value)
	for i := 0; i < len(fixed); i++ {
		if fixed[i] < '0' || fixed[i] > '9' {
			fixed = "0"
			break
		}
	}
	if fixed == "" {
		fixed = "0"
	}
	if len(fixed) >= len(maxInteger) {
		if fixed = strings.TrimLeft(fixed, "0"); len(fixed) > len(maxInteger) || len(fixed) == len(maxInteger) && fixed > maxInteger {
			fixed = maxInteger
		}
		if fixed == "" {
			fixed = "0"
		}
	}
	if fixed != value {
		m.repair("LEN-12", `SEQUENCE "`+clip(value)+`" read as `+fixed)
		m.set(m.params(), fixed)
	}
}

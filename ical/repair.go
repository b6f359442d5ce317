package ical

import (
	"strings"
)

// mend puts right what is written in a way that a strict reader refuses or
// misreads. The octets stay as they are; the logical line says what is meant.
func (p *parser) mend(l *content, text string, value int, q *Property) (string, int) {
	m := mender{p: p, line: l.line, text: text, name: l.name, value: value}
	switch kindOf(text[:l.name]) {
	case kindDate:
		m.dates(true)
	case kindStamp:
		m.dates(false)
	case kindAddress:
		m.addressParams()
		m.address()
	case kindEnum:
		m.enum()
	case kindSequence:
		m.sequence()
	case kindProfile:
		m.rename("METHOD")
		m.enum()
	case kindScale:
		m.rename("CALSCALE")
	}
	if m.mended {
		q.flags |= repaired
	}
	return m.text, m.value
}

type mendKind uint8

const (
	kindNone     mendKind = iota
	kindDate              // may be a date or a local time
	kindStamp             // always UTC
	kindAddress           // calendar user address
	kindEnum              // enumeration
	kindSequence          // integer
	kindProfile           // PROFILE, METHOD's name in the drafts (LEN-08)
	kindScale             // SCALE for CALSCALE (LEN-08)
)

var mendKinds = map[string]mendKind{
	"DTSTART": kindDate, "DTEND": kindDate, "DUE": kindDate, "RECURRENCE-ID": kindDate, "EXDATE": kindDate, "RDATE": kindDate,
	"DTSTAMP": kindStamp, "CREATED": kindStamp, "LAST-MODIFIED": kindStamp, "COMPLETED": kindStamp,
	"ATTENDEE": kindAddress, "ORGANIZER": kindAddress,
	"STATUS": kindEnum, "TRANSP": kindEnum, "CLASS": kindEnum, "ACTION": kindEnum, "METHOD": kindEnum,
	"SEQUENCE": kindSequence, "PROFILE": kindProfile, "SCALE": kindScale,
}

// kindOf looks a name up without regard to case and without an allocation.
func kindOf(name string) mendKind {
	if len(name) > len("RECURRENCE-ID") {
		return kindNone
	}
	if k, ok := mendKinds[name]; ok {
		return k
	}
	for i := 0; i < len(name); i++ {
		if 'a' <= name[i] && name[i] <= 'z' {
			return mendKinds[strings.ToUpper(name)]
		}
	}
	return kindNone
}

type mender struct {
	p           *parser
	line        int
	text        string
	name, value int
	mended      bool
}

func (m *mender) params() string { return m.text[m.name : m.value-1] }

func (m *mender) set(params, value string) {
	name := m.text[:m.name]
	m.text = name + params + ":" + value
	m.value = len(name) + len(params) + 1
	m.mended = true
}

func (m *mender) rename(name string) {
	m.p.repair(m.line, "LEN-08", strings.ToUpper(m.text[:m.name])+" read as "+name)
	m.text = name + m.text[m.name:]
	m.value += len(name) - m.name
	m.name = len(name)
	m.mended = true
}

// param looks for a parameter in a raw parameter section.
func param(params, name string) (value string, ok bool) {
	for n, rest := range scanParams(params) {
		if len(n) == len(name) && equalFold(n, name) {
			v, _, _ := nextParamValue(rest)
			return v, true
		}
	}
	return "", false
}

// without leaves parameters out of a raw parameter section.
func without(params, name string) string {
	var b strings.Builder
	for n, rest := range scanParams(params) {
		if len(n) != len(name) || !equalFold(n, name) {
			b.WriteString(";" + n + "=" + rest)
		}
	}
	return b.String()
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
	}
	if form == formOther {
		if fixed, ok := mendDateTimes(value, m.text[:m.name]); ok && fixed != value {
			m.p.repair(m.line, "LEN-02", strings.ToUpper(m.text[:m.name])+` "`+clip(value)+`" read as `+clip(fixed))
			value = fixed
			m.set(params, value)
			form = formOf(value)
		}
	}
	if !local {
		if form == formLocal {
			if _, zoned := param(params, "TZID"); !zoned {
				m.p.repair(m.line, "LEN-02", strings.ToUpper(m.text[:m.name])+" without Z read as UTC")
				m.set(params, value+"Z")
			}
		}
		return
	}
	if params == "" && form != formDate {
		return
	}
	kind, typed := param(params, "VALUE")
	if form == formDate && (!typed || !strings.EqualFold(kind, "DATE")) {
		m.p.repair(m.line, "LEN-02", strings.ToUpper(m.text[:m.name])+" read as VALUE=DATE")
		params = ";VALUE=DATE" + without(params, "VALUE")
		m.set(params, value)
	}
	if strings.EqualFold(kind, "DATE") && (form == formLocal || form == formUTC) {
		if strings.HasPrefix(value[8:], "T000000") {
			m.p.repair(m.line, "LEN-02", strings.ToUpper(m.text[:m.name])+" with VALUE=DATE read as a date")
			m.set(params, value[:8])
		} else {
			m.p.repair(m.line, "LEN-02", strings.ToUpper(m.text[:m.name])+" with VALUE=DATE read as a time")
			params = without(params, "VALUE")
			m.set(params, value)
		}
	}
	if form == formUTC {
		if _, ok := param(params, "TZID"); ok {
			m.p.repair(m.line, "LEN-03", "TZID beside a UTC time ignored")
			params = without(params, "TZID")
			m.set(params, value)
		}
	}
	if equalFoldAny(m.text[:m.name], "RECURRENCE-ID") {
		for n, rest := range scanParams(params) {
			if rest == "" && strings.EqualFold(n, "THISANDFUTURE") {
				m.p.repair(m.line, "LEN-08", "THISANDFUTURE read as RANGE=THISANDFUTURE")
				m.set(without(params, "THISANDFUTURE")+";RANGE=THISANDFUTURE", value)
			}
		}
	}
}

func equalFoldAny(s, upper string) bool { return len(s) == len(upper) && equalFold(s, upper) }

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// oldNames are parameters of ATTENDEE and ORGANIZER in the drafts and in RFC
// 2447's examples (LEN-08).
var oldNames = map[string]string{"ATTSTAT": "PARTSTAT", "STATUS": "PARTSTAT", "TYPE": "CUTYPE"}

// enumParams take one of a list of words, in any case (LEN-10).
var enumParams = map[string]bool{"PARTSTAT": true, "ROLE": true, "CUTYPE": true, "RSVP": true, "SCHEDULE-AGENT": true, "SCHEDULE-FORCE-SEND": true}

// addressParams mends the parameters of ATTENDEE and ORGANIZER.
func (m *mender) addressParams() {
	params := m.params()
	if params == "" {
		return
	}
	var b strings.Builder
	differs := false
	for n, rest := range scanParams(params) {
		name, value := n, rest
		if nameHasLower(name) {
			name = strings.ToUpper(name)
		}
		if to, ok := oldNames[name]; ok {
			if _, both := param(params, to); !both {
				m.p.repair(m.line, "LEN-08", name+" read as "+to)
				name, differs = to, true
			}
		}
		if enumParams[name] {
			if nameHasLower(value) {
				value = strings.ToUpper(value)
			}
			if name == "RSVP" && (value == "YES" || value == "NO") {
				m.p.repair(m.line, "LEN-08", "RSVP="+value+" read as TRUE or FALSE")
				value = map[string]string{"YES": "TRUE", "NO": "FALSE"}[value]
			}
		}
		if rest == "" && strings.EqualFold(n, "MAILTO") && !strings.Contains(params, n+"=") {
			// LEN-09: `ATTENDEE;CUTYPE=INDIVIDUAL;mailto:a@example.com`
			m.p.repair(m.line, "LEN-09", "mailto: after a semicolon read as the address")
			params := params[:strings.LastIndex(params, ";")]
			m.set(params, "mailto:"+m.text[m.value:])
			m.addressParams()
			return
		}
		differs = differs || value != rest
		b.WriteString(";" + name + "=" + value)
	}
	if differs {
		m.set(b.String(), m.text[m.value:])
	}
}

func nameHasLower(s string) bool {
	for i := 0; i < len(s); i++ {
		if 'a' <= s[i] && s[i] <= 'z' {
			return true
		}
	}
	return false
}

// address mends address spellings (LEN-09).
func (m *mender) address() {
	value := m.text[m.value:]
	if fixed := string(ParseAddress(value)); fixed != value {
		m.p.repair(m.line, "LEN-09", `address "`+clip(value)+`" read as `+clip(fixed))
		m.set(m.params(), fixed)
	}
}

// enum mends enumerated values: any case (LEN-10), blanks around, and the
// drafts' blank for a hyphen (LEN-08).
func (m *mender) enum() {
	value := m.text[m.value:]
	fixed := value
	if nameHasLower(fixed) {
		fixed = strings.ToUpper(fixed)
	}
	fixed = strings.TrimSpace(fixed)
	if fixed == "NEEDS ACTION" {
		m.p.repair(m.line, "LEN-08", "NEEDS ACTION read as NEEDS-ACTION")
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
		m.p.repair(m.line, "LEN-12", `SEQUENCE "`+clip(value)+`" read as `+fixed)
		m.set(m.params(), fixed)
	}
}

package ical

import "math/bits"

// A word is a name of up to sixteen octets as two numbers, with zeros behind
// it. Two comparisons and one multiplication look a name up that way, where a
// search by octets costs more than everything else that a line needs.
type word struct{ lo, hi uint64 }

const maxWord = 16

// eight are the first eight octets of s, the first in the lowest bits. The
// compiler makes one load of it.
func eight(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// wordOf is the word of a name.
func wordOf(s string) (w word) {
	for i := 0; i < len(s) && i < maxWord; i++ {
		if i < 8 {
			w.lo |= uint64(s[i]) << (8 * i)
		} else {
			w.hi |= uint64(s[i]) << (8 * (i - 8))
		}
	}
	return w
}

// Numbers with the same octet eight times.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// zeros marks the octets of w that are zero by their highest bit. Above the
// first there may be false marks, below it never: the lowest mark and whether
// there is any are exact.
func zeros(w uint64) uint64 { return (w - ones) &^ w & highs }

// colons marks the octets that are a colon or a semicolon, which differ in
// one bit, as zeros does.
func colons(w uint64) uint64 { return zeros(w&^ones ^ ':'*ones) }

// first is the index of the octet of the lowest mark.
func first(marks uint64) int { return bits.TrailingZeros64(marks) >> 3 }

// below keeps the first n octets of w, n < 8.
func below(w uint64, n int) uint64 { return w & (1<<(8*uint(n)&63) - 1) }

// known is a name that is found by its word.
type known struct {
	word
	name string
	role role
}

// role says what a line with a known name is, or a known component.
type role uint8

const (
	roleNone     role = iota
	roleDate          // may be a date or a local time
	roleStamp         // always UTC
	roleAddress       // calendar user address
	roleEnum          // enumeration
	roleSequence      // integer
	roleProfile       // PROFILE, METHOD's name in the drafts (LEN-08)
	roleScale         // SCALE for CALSCALE (LEN-08)
	roleOdd           // a name with lower-case letters
	roleBegin         // BEGIN
	roleEnd           // END
	roleTop           // a component directly in a VCALENDAR
	roleNested        // a component that stands only inside one of them
	roleCalendar      // VCALENDAR
)

// roles lists all names that have a role, and others that are frequent.
var roles = map[role][]string{
	roleNone: {"ATTACH", "CALSCALE", "CATEGORIES", "COLOR", "COMMENT", "CONFERENCE", "CONTACT", "DESCRIPTION", "DURATION", "EXRULE", "FREEBUSY",
		"GEO", "LOCATION", "PERCENT-COMPLETE", "PRIORITY", "PRODID", "RELATED-TO", "REPEAT", "REQUEST-STATUS", "RESOURCES", "RRULE", "SUMMARY",
		"TRIGGER", "TZID", "TZNAME", "TZOFFSETFROM", "TZOFFSETTO", "TZURL", "UID", "URL", "VERSION", "X-WR-CALNAME", "X-WR-TIMEZONE"},
	roleDate:     {"DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "EXDATE", "RDATE"},
	roleStamp:    {"DTSTAMP", "CREATED", "LAST-MODIFIED", "COMPLETED"},
	roleAddress:  {"ATTENDEE", "ORGANIZER"},
	roleEnum:     {"STATUS", "TRANSP", "CLASS", "ACTION", "METHOD"},
	roleSequence: {"SEQUENCE"},
	roleProfile:  {"PROFILE"},
	roleScale:    {"SCALE"},
	roleBegin:    {"BEGIN"},
	roleEnd:      {"END"},
	roleTop:      {"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE", "VAVAILABILITY"},
	roleNested:   {"VALARM", "STANDARD", "DAYLIGHT", "AVAILABLE", "PARTICIPANT", "VLOCATION", "VRESOURCE"},
	roleCalendar: {"VCALENDAR"},
}

// knownNames has each of them in a place of its own, by the hash of its word.
var knownNames = func() (t [1 << nameBits]known) {
	for role, list := range roles {
		for _, name := range list {
			w := wordOf(name)
			t[w.hash()] = known{w, name, role}
		}
	}
	return t
}()

const (
	nameBits = 8
	hashLow  = 0xc112c68b7d1d094f
	hashHigh = 0x11b622cb426ee0d7
)

// hash is the place of a word in knownNames. The factors are odd numbers found by
// trying so that no two names meet.
func (w word) hash() uint64 { return (w.lo*hashLow + w.hi*hashHigh) >> (64 - nameBits) }

// lookup finds an upper-case name that has a role or is frequent, nil if it
// is neither.
func (w word) lookup(n int) *known {
	if k := &knownNames[w.hash()]; k.word == w && len(k.name) == n && n > 0 {
		return k
	}
	return nil
}

// roleOf is the role of an upper-case name.
func roleOf(name string) role {
	if len(name) <= maxWord {
		if k := wordOf(name).lookup(len(name)); k != nil {
			return k.role
		}
	}
	return roleNone
}

// digits8 tells whether w is eight digits: the high half of each octet is 3,
// also after 6 was added to its low half.
func digits8(w uint64) bool {
	return w&(0xf0*ones) == 0x30*ones && (w+6*ones)&(0xf0*ones) == 0x30*ones
}

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

// before keeps the octets of w before that of the lowest mark.
func before(w, marks uint64) uint64 { return w & ((marks ^ (marks - 1)) >> 8) }

// known is a name that is found by its word.
type known struct {
	word
	length uint8
	role   role
}

// role says what a line with a known name is, or a known component.
type role uint8

const (
	roleNone      role = iota
	roleDate           // may be a date or a local time
	roleStamp          // always UTC
	roleAddress        // calendar user address
	roleEnum           // enumeration
	roleSequence       // integer
	roleProfile        // PROFILE, METHOD's name in the drafts (LEN-08)
	roleScale          // SCALE for CALSCALE (LEN-08)
	roleOdd            // a name with lower-case letters
	roleBegin          // BEGIN
	roleEnd            // END
	roleTop            // a component directly in a VCALENDAR
	roleNested         // a component that stands only inside one of them
	roleCalendar       // VCALENDAR
	roleParam          // a parameter of ATTENDEE and ORGANIZER
	roleWordParam      // one that takes one of a list of words
)

// roles lists all names that have a role, and others that are frequent.
var roles = map[role][]string{
	roleNone: {"ATTACH", "CALSCALE", "CATEGORIES", "COLOR", "COMMENT", "CONFERENCE", "CONTACT", "DESCRIPTION", "DURATION", "EXRULE", "FREEBUSY",
		"GEO", "LOCATION", "PERCENT-COMPLETE", "PRIORITY", "PRODID", "RELATED-TO", "REPEAT", "REQUEST-STATUS", "RESOURCES", "RRULE", "SUMMARY",
		"TRIGGER", "TZID", "TZNAME", "TZOFFSETFROM", "TZOFFSETTO", "TZURL", "UID", "URL", "VERSION", "X-WR-CALNAME", "X-WR-TIMEZONE"},
	roleDate:      {"DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "EXDATE", "RDATE"},
	roleStamp:     {"DTSTAMP", "CREATED", "LAST-MODIFIED", "COMPLETED"},
	roleAddress:   {"ATTENDEE", "ORGANIZER"},
	roleEnum:      {"STATUS", "TRANSP", "CLASS", "ACTION", "METHOD"},
	roleSequence:  {"SEQUENCE"},
	roleProfile:   {"PROFILE"},
	roleScale:     {"SCALE"},
	roleBegin:     {"BEGIN"},
	roleEnd:       {"END"},
	roleTop:       {"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE", "VAVAILABILITY"},
	roleNested:    {"VALARM", "STANDARD", "DAYLIGHT", "AVAILABLE", "PARTICIPANT", "VLOCATION", "VRESOURCE"},
	roleCalendar:  {"VCALENDAR"},
	roleParam:     {"CN", "DELEGATED-FROM", "DELEGATED-TO", "DIR", "EMAIL", "LANGUAGE", "MEMBER", "SCHEDULE-STATUS", "SENT-BY", "X-NUM-GUESTS"},
	roleWordParam: {"CUTYPE", "PARTSTAT", "ROLE", "RSVP", "SCHEDULE-AGENT"},
}

// knownNames has each of them in a place of its own, by the hash of its word;
// knownSpelling has the name itself in the same place.
var knownNames, knownSpelling = func() (t [1 << nameBits]known, spelling [1 << nameBits]string) {
	for role, list := range roles {
		for _, name := range list {
			w := wordOf(name)
			t[w.hash()] = known{w, uint8(len(name)), role}
			spelling[w.hash()] = name
		}
	}
	return t, spelling
}()

const (
	nameBits = 8
	hashLow  = 0x50cd7b6079c36d51
	hashHigh = 0xfcbda8630dc1973b
)

// hash is the place of a word in knownNames. The factors are odd numbers found by
// trying so that no two names meet.
func (w word) hash() uint64 { return (w.lo*hashLow + w.hi*hashHigh) >> (64 - nameBits) }

// role is the role of a name of n octets.
func (w word) role(n int) role {
	if k := &knownNames[w.hash()]; k.word == w && int(k.length) == n {
		return k.role
	}
	return roleNone
}

// roleOf is the role of an upper-case name.
func roleOf(name string) role {
	if len(name) > maxWord {
		return roleNone
	}
	return wordOf(name).role(len(name))
}

// lowers is not zero if there is a lower-case letter in w. Octets above 0x7f
// count for nothing; one before a letter may hide none.
func lowers(w uint64) uint64 {
	low := w & (0x7f * ones)
	return (low + (0x80-'a')*ones) &^ (low + (0x7f-'z')*ones) &^ w & highs
}

// digits8 tells whether w is eight digits: the high half of each octet is 3,
// also after 6 was added to its low half.
func digits8(w uint64) bool {
	return w&(0xf0*ones) == 0x30*ones && (w+6*ones)&(0xf0*ones) == 0x30*ones
}

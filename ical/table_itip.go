package ical

// Restrictions is a restriction table of RFC 5546: what a component of a
// scheduling message must and must not have.
type Restrictions struct {
	Method    string
	Component string
	One       []string // properties that occur exactly once
	Some      []string // at least once
	Forbidden []string // properties and subcomponents that must not occur
	Only      []string // where set, nothing else but X- and IANA properties may occur
	Single    bool     // the message has exactly one such component
	SameUID   bool     // all such components have one UID
	NoZones   bool     // no VTIMEZONE in the message
	Status    []string // values STATUS may have, nil = any
	Section   string
}

// RestrictionsOf gives the table of a method (upper case) and a component; ok
// is false where RFC 5546 does not define the method for the component.
func RestrictionsOf(method, component string) (r Restrictions, ok bool) {
	for i := range restrictions {
		if restrictions[i].Method == method && restrictions[i].Component == component {
			return restrictions[i], true
		}
	}
	return Restrictions{}, false
}

// SchedulingMethod tells whether RFC 5546 1.4 defines the method.
func SchedulingMethod(method string) bool {
	for i := range restrictions {
		if restrictions[i].Method == method {
			return true
		}
	}
	return false
}

func names(n ...string) []string { return n }

var (
	eventStatus = names("TENTATIVE", "CONFIRMED", "CANCELLED")
	addForbids  = names("EXDATE", "RDATE", "RRULE", "RECURRENCE-ID", "REQUEST-STATUS")
)

// Where RFC 5546 contradicts itself the table has the wider reading: REPLY's
// ATTENDEE is at least one (3.2.3 says one, delegation needs two, 3.2.2.3);
// COUNTER's SEQUENCE is, as its comment allows, absent when 0; ORGANIZER of a VTODO REFRESH, which 3.4.6 forbids and
// routing needs, is not forbidden; ADD's text allows several components.
var restrictions = []Restrictions{
	// 3.2: VEVENT
	{Method: "PUBLISH", Component: "VEVENT", One: names("DTSTAMP", "DTSTART", "ORGANIZER", "SUMMARY", "UID"),
		Forbidden: names("ATTENDEE", "REQUEST-STATUS"), Status: eventStatus, Section: "RFC 5546 3.2.1"},
	{Method: "REQUEST", Component: "VEVENT", One: names("DTSTAMP", "DTSTART", "ORGANIZER", "SUMMARY", "UID"), Some: names("ATTENDEE"),
		Forbidden: names("REQUEST-STATUS"), SameUID: true, Status: names("TENTATIVE", "CONFIRMED"), Section: "RFC 5546 3.2.2"},
	{Method: "REPLY", Component: "VEVENT", One: names("DTSTAMP", "ORGANIZER", "UID"), Some: names("ATTENDEE"),
		Forbidden: names("VALARM"), SameUID: true, Section: "RFC 5546 3.2.3"},
	{Method: "ADD", Component: "VEVENT", One: names("DTSTAMP", "DTSTART", "ORGANIZER", "SEQUENCE", "SUMMARY", "UID"),
		Forbidden: addForbids, SameUID: true, Status: names("TENTATIVE", "CONFIRMED"), Section: "RFC 5546 3.2.4"},
	{Method: "CANCEL", Component: "VEVENT", One: names("DTSTAMP", "ORGANIZER", "SEQUENCE", "UID"),
		Forbidden: names("REQUEST-STATUS", "VALARM"), SameUID: true, Status: names("CANCELLED"), Section: "RFC 5546 3.2.5"},
	{Method: "REFRESH", Component: "VEVENT", One: names("ATTENDEE", "DTSTAMP", "ORGANIZER", "UID"),
		Only: names("RECURRENCE-ID", "COMMENT"), Single: true, Section: "RFC 5546 3.2.6"},
	{Method: "COUNTER", Component: "VEVENT", One: names("DTSTAMP", "DTSTART", "ORGANIZER", "SUMMARY", "UID"),
		Single: true, Status: eventStatus, Section: "RFC 5546 3.2.7"},
	{Method: "DECLINECOUNTER", Component: "VEVENT", One: names("DTSTAMP", "ORGANIZER", "SEQUENCE", "UID"), Some: names("ATTENDEE"),
		Forbidden: names("VALARM"), SameUID: true, Section: "RFC 5546 3.2.8"},
	// 3.3: VFREEBUSY
	{Method: "PUBLISH", Component: "VFREEBUSY", One: names("DTSTAMP", "DTSTART", "DTEND", "ORGANIZER", "UID"),
		Forbidden: names("ATTENDEE", "DURATION", "REQUEST-STATUS", "VALARM"), NoZones: true, Section: "RFC 5546 3.3.1"},
	{Method: "REQUEST", Component: "VFREEBUSY", One: names("DTSTAMP", "DTSTART", "DTEND", "ORGANIZER", "UID"), Some: names("ATTENDEE"),
		Forbidden: names("FREEBUSY", "DURATION", "URL", "REQUEST-STATUS", "VALARM"), NoZones: true, Single: true, Section: "RFC 5546 3.3.2"},
	{Method: "REPLY", Component: "VFREEBUSY", One: names("ATTENDEE", "DTSTAMP", "DTSTART", "DTEND", "ORGANIZER", "UID"),
		Forbidden: names("DURATION", "SEQUENCE", "VALARM"), NoZones: true, Single: true, Section: "RFC 5546 3.3.3"},
	// 3.4: VTODO
	{Method: "PUBLISH", Component: "VTODO", One: names("DTSTAMP", "DTSTART", "ORGANIZER", "PRIORITY", "SUMMARY", "UID"),
		Forbidden: names("ATTENDEE", "REQUEST-STATUS"), Section: "RFC 5546 3.4.1"},
	{Method: "REQUEST", Component: "VTODO", One: names("DTSTAMP", "DTSTART", "ORGANIZER", "PRIORITY", "SUMMARY", "UID"), Some: names("ATTENDEE"),
		Forbidden: names("REQUEST-STATUS"), SameUID: true, Status: names("NEEDS-ACTION", "COMPLETED", "IN-PROCESS"), Section: "RFC 5546 3.4.2"},
	{Method: "REPLY", Component: "VTODO", One: names("DTSTAMP", "ORGANIZER", "UID"), Some: names("ATTENDEE"),
		Forbidden: names("VALARM"), SameUID: true, Section: "RFC 5546 3.4.3"},
	{Method: "ADD", Component: "VTODO", One: names("DTSTAMP", "ORGANIZER", "PRIORITY", "SEQUENCE", "SUMMARY", "UID"),
		Forbidden: addForbids, SameUID: true, Section: "RFC 5546 3.4.4"},
	{Method: "CANCEL", Component: "VTODO", One: names("DTSTAMP", "ORGANIZER", "SEQUENCE", "UID"),
		Forbidden: names("REQUEST-STATUS", "VALARM"), SameUID: true, Status: names("CANCELLED"), Section: "RFC 5546 3.4.5"},
	{Method: "REFRESH", Component: "VTODO", One: names("ATTENDEE", "DTSTAMP", "UID"),
		Only: names("RECURRENCE-ID", "ORGANIZER"), Single: true, Section: "RFC 5546 3.4.6"},
	{Method: "COUNTER", Component: "VTODO", One: names("DTSTAMP", "ORGANIZER", "PRIORITY", "SUMMARY", "UID"), Some: names("ATTENDEE"),
		SameUID: true, Single: true, Section: "RFC 5546 3.4.7"},
	{Method: "DECLINECOUNTER", Component: "VTODO", One: names("DTSTAMP", "ORGANIZER", "SEQUENCE", "UID"), Some: names("ATTENDEE"),
		Forbidden: names("VALARM"), Single: true, Section: "RFC 5546 3.4.8"},
	// 3.5: VJOURNAL
	{Method: "PUBLISH", Component: "VJOURNAL", One: names("DESCRIPTION", "DTSTAMP", "DTSTART", "ORGANIZER", "UID"),
		Forbidden: names("ATTENDEE", "REQUEST-STATUS"), Section: "RFC 5546 3.5.1"},
	{Method: "ADD", Component: "VJOURNAL", One: names("DESCRIPTION", "DTSTAMP", "DTSTART", "ORGANIZER", "SEQUENCE", "UID"),
		Forbidden: append(names("ATTENDEE"), addForbids...), SameUID: true, Section: "RFC 5546 3.5.2"},
	{Method: "CANCEL", Component: "VJOURNAL", One: names("DTSTAMP", "ORGANIZER", "SEQUENCE", "UID"),
		Forbidden: names("ATTENDEE", "REQUEST-STATUS", "VALARM"), SameUID: true, Status: names("CANCELLED"), Section: "RFC 5546 3.5.3"},
}

package ical

// Cardinality is how often a property may occur in a component.
type Cardinality uint8

// The cardinalities of RFC 5545's grammar.
const (
	Unlisted     Cardinality = iota // the standards do not define it there
	Many                            // any number
	AtMostOnce                      // 0 or 1
	ShouldBeOnce                    // 0 or 1, more are discouraged (RRULE)
	ExactlyOnce                     // 1
	OnceOrMore                      // 1 or more
)

// ComponentDef is what the standards say about a component.
type ComponentDef struct {
	Name    string
	In      string // components it stands in; "" = at the top
	One     string // properties that occur exactly once
	Some    string // at least once
	Maybe   string // at most once
	Should  string // should occur at most once
	Any     string // any number of times
	Section string
}

// Cardinality tells how often a property may occur.
func (d *ComponentDef) Cardinality(property string) Cardinality {
	switch {
	case hasWord(d.One, property):
		return ExactlyOnce
	case hasWord(d.Some, property):
		return OnceOrMore
	case hasWord(d.Maybe, property):
		return AtMostOnce
	case hasWord(d.Should, property):
		return ShouldBeOnce
	case hasWord(d.Any, property):
		return Many
	case property == "XML": // RFC 6321 4.2: any number in any component
		return Many
	}
	return Unlisted
}

// LookupComponent finds a component by its upper-case name.
func LookupComponent(name string) (*ComponentDef, bool) {
	for i := range componentTable {
		if componentTable[i].Name == name {
			return &componentTable[i], true
		}
	}
	return nil, false
}

const (
	// RFC 9253 2 and 9073 4 let these stand in every one of the components
	// that people see.
	linked = " CONCEPT LINK REFID RELATED-TO STRUCTURED-DATA STYLED-DESCRIPTION"
	zoned  = "DTSTART TZOFFSETFROM TZOFFSETTO"
)

var componentTable = []ComponentDef{
	{
		Name: "VCALENDAR", Section: "RFC 5545 3.6",
		One:   "PRODID VERSION",
		Maybe: "CALSCALE METHOD UID LAST-MODIFIED URL REFRESH-INTERVAL SOURCE COLOR", // RFC 7986 4
		Any:   "NAME DESCRIPTION CATEGORIES IMAGE CONCEPT LINK REFID",
	},
	{
		Name: "VEVENT", In: "VCALENDAR", Section: "RFC 5545 3.6.1",
		One:    "DTSTAMP UID",
		Maybe:  "DTSTART CLASS CREATED DESCRIPTION GEO LAST-MODIFIED LOCATION ORGANIZER PRIORITY SEQUENCE STATUS SUMMARY TRANSP URL RECURRENCE-ID DTEND DURATION COLOR",
		Should: "RRULE",
		Any:    "ATTACH ATTENDEE CATEGORIES COMMENT CONTACT EXDATE EXRULE REQUEST-STATUS RESOURCES RDATE CONFERENCE IMAGE" + linked,
	},
	{
		Name: "VTODO", In: "VCALENDAR", Section: "RFC 5545 3.6.2",
		One:    "DTSTAMP UID",
		Maybe:  "CLASS COMPLETED CREATED DESCRIPTION DTSTART GEO LAST-MODIFIED LOCATION ORGANIZER PERCENT-COMPLETE PRIORITY RECURRENCE-ID SEQUENCE STATUS SUMMARY URL DUE DURATION COLOR",
		Should: "RRULE",
		Any:    "ATTACH ATTENDEE CATEGORIES COMMENT CONTACT EXDATE EXRULE REQUEST-STATUS RESOURCES RDATE CONFERENCE IMAGE" + linked,
	},
	{
		Name: "VJOURNAL", In: "VCALENDAR", Section: "RFC 5545 3.6.3",
		One:    "DTSTAMP UID",
		Maybe:  "CLASS CREATED DTSTART LAST-MODIFIED ORGANIZER RECURRENCE-ID SEQUENCE STATUS SUMMARY URL COLOR",
		Should: "RRULE",
		Any:    "ATTACH ATTENDEE CATEGORIES COMMENT CONTACT DESCRIPTION EXDATE EXRULE RDATE REQUEST-STATUS IMAGE" + linked,
	},
	{
		Name: "VFREEBUSY", In: "VCALENDAR", Section: "RFC 5545 3.6.4",
		One:   "DTSTAMP UID",
		Maybe: "CONTACT DTSTART DTEND ORGANIZER URL",
		Any:   "ATTENDEE COMMENT FREEBUSY REQUEST-STATUS STYLED-DESCRIPTION CONCEPT LINK REFID",
	},
	{
		Name: "VTIMEZONE", In: "VCALENDAR", Section: "RFC 5545 3.6.5",
		One:   "TZID",
		Maybe: "LAST-MODIFIED TZURL TZUNTIL",
		Any:   "TZID-ALIAS-OF",
	},
	{Name: "STANDARD", In: "VTIMEZONE", Section: "RFC 5545 3.6.5", One: zoned, Should: "RRULE", Any: "COMMENT RDATE TZNAME"},
	{Name: "DAYLIGHT", In: "VTIMEZONE", Section: "RFC 5545 3.6.5", One: zoned, Should: "RRULE", Any: "COMMENT RDATE TZNAME"},
	{
		// What an alarm needs beyond this depends on its ACTION: alarmTable.
		Name: "VALARM", In: "VEVENT VTODO", Section: "RFC 5545 3.6.6",
		One:   "ACTION TRIGGER",
		Maybe: "DURATION REPEAT DESCRIPTION SUMMARY UID ACKNOWLEDGED PROXIMITY", // RFC 9074 3
		Any:   "ATTACH ATTENDEE RELATED-TO STYLED-DESCRIPTION",
	},
	{
		Name: "VAVAILABILITY", In: "VCALENDAR", Section: "RFC 7953 3.1",
		One:   "DTSTAMP UID",
		Maybe: "BUSYTYPE CLASS CREATED DESCRIPTION DTSTART LAST-MODIFIED LOCATION ORGANIZER PRIORITY SEQUENCE SUMMARY URL DTEND DURATION",
		Any:   "CATEGORIES COMMENT CONTACT CONCEPT LINK REFID",
	},
	{
		Name: "AVAILABLE", In: "VAVAILABILITY", Section: "RFC 7953 3.1",
		One:   "DTSTAMP DTSTART UID",
		Maybe: "DTEND DURATION CREATED DESCRIPTION LAST-MODIFIED LOCATION RECURRENCE-ID RRULE SUMMARY",
		Any:   "CATEGORIES COMMENT CONTACT EXDATE RDATE",
	},
	{
		Name: "PARTICIPANT", In: "VEVENT VTODO VJOURNAL VFREEBUSY", Section: "RFC 9073 7.1",
		One:   "PARTICIPANT-TYPE UID",
		Maybe: "CALENDAR-ADDRESS CREATED DESCRIPTION DTSTAMP GEO LAST-MODIFIED PRIORITY SEQUENCE STATUS SUMMARY URL",
		Any:   "ATTACH CATEGORIES COMMENT CONTACT LOCATION REQUEST-STATUS RELATED-TO RESOURCES STYLED-DESCRIPTION STRUCTURED-DATA",
	},
	{
		Name: "VLOCATION", In: "VEVENT VTODO VJOURNAL VFREEBUSY PARTICIPANT VALARM", Section: "RFC 9073 7.2",
		One:   "UID",
		Maybe: "DESCRIPTION GEO LOCATION-TYPE NAME URL",
		Any:   "STRUCTURED-DATA",
	},
	{
		Name: "VRESOURCE", In: "VEVENT VTODO VJOURNAL VFREEBUSY PARTICIPANT", Section: "RFC 9073 7.3",
		One:   "UID",
		Maybe: "DESCRIPTION GEO NAME RESOURCE-TYPE",
		Any:   "STRUCTURED-DATA",
	},
}

// LookupAlarm gives what an alarm of an ACTION needs (RFC 5545 3.6.6).
func LookupAlarm(action string) (*ComponentDef, bool) {
	for i := range alarmTable {
		if alarmTable[i].Name == action {
			return &alarmTable[i], true
		}
	}
	return nil, false
}

var alarmTable = []ComponentDef{
	{Name: "AUDIO", Section: "RFC 5545 3.6.6", Maybe: "ATTACH"},
	{Name: "DISPLAY", Section: "RFC 5545 3.6.6", One: "DESCRIPTION"},
	{Name: "EMAIL", Section: "RFC 5545 3.6.6", One: "DESCRIPTION SUMMARY", Some: "ATTENDEE"},
}

// StatusValues are the values STATUS may have in a component (RFC 5545
// 3.8.1.11), nil where it may have any.
func StatusValues(component string) []string { return statusValues[component] }

var statusValues = map[string][]string{
	"VEVENT":   {"TENTATIVE", "CONFIRMED", "CANCELLED"},
	"VTODO":    {"NEEDS-ACTION", "COMPLETED", "IN-PROCESS", "CANCELLED"},
	"VJOURNAL": {"DRAFT", "FINAL", "CANCELLED"},
}

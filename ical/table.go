package ical

import (
	"slices"
	"strings"
)

// A ValueType is a value data type (RFC 5545 3.3; RFC 9253 7).
type ValueType = string

// The value types.
const (
	Binary       ValueType = "BINARY"
	Boolean      ValueType = "BOOLEAN"
	CalAddress   ValueType = "CAL-ADDRESS"
	DateType     ValueType = "DATE"
	DateTime     ValueType = "DATE-TIME"
	DurationType ValueType = "DURATION"
	Float        ValueType = "FLOAT"
	Integer      ValueType = "INTEGER"
	PeriodType   ValueType = "PERIOD"
	Recur        ValueType = "RECUR"
	Text         ValueType = "TEXT"
	TimeType     ValueType = "TIME"
	URI          ValueType = "URI"
	UTCOffset    ValueType = "UTC-OFFSET"
	UID          ValueType = "UID"
	XMLReference ValueType = "XML-REFERENCE"
)

// PropertyDef is what the standards say about a property.
type PropertyDef struct {
	Name    string
	Types   string // allowed value types; the first is the default unless it is "-": VALUE is then required
	Params  string // parameters defined for it, besides those allowed everywhere
	Section string
	List    bool   // comma-separated values
	Values  string // closed list of values, "" = open
	UTC     bool   // its times must be UTC
}

// Default is the value type without a VALUE parameter, "" where one is needed.
func (d *PropertyDef) Default() ValueType {
	t, _, _ := strings.Cut(d.Types, " ")
	if t == "-" {
		return ""
	}
	return t
}

// Allows tells whether the property may have values of the type.
func (d *PropertyDef) Allows(t ValueType) bool { return t != "-" && hasWord(d.Types, t) }

// Takes tells whether the standards define the parameter for the property.
func (d *PropertyDef) Takes(param string) bool {
	return hasWord(d.Params, param) || hasWord(anywhere, param)
}

// anywhere are the parameters any property may have: VALUE (RFC 5545 3.2.20),
// DERIVED (RFC 9073 5.3), ORDER (5.1).
const anywhere = "VALUE DERIVED ORDER"

// hasWord tells whether a space-separated list has a word.
func hasWord(list, word string) bool {
	for w := range strings.SplitSeq(list, " ") {
		if w == word && w != "" {
			return true
		}
	}
	return false
}

// LookupProperty finds a property by its upper-case name.
func LookupProperty(name string) (*PropertyDef, bool) {
	i, ok := slices.BinarySearchFunc(propertyTable, name, func(d PropertyDef, name string) int { return strings.Compare(d.Name, name) })
	if !ok {
		return nil, false
	}
	return &propertyTable[i], true
}

const (
	textParams   = "ALTREP LANGUAGE"
	personParams = "CN DIR SENT-BY LANGUAGE EMAIL SCHEDULE-AGENT SCHEDULE-STATUS SCHEDULE-FORCE-SEND"
)

// propertyTable is sorted by name.
var propertyTable = []PropertyDef{
	{Name: "ACKNOWLEDGED", Types: "DATE-TIME", Section: "RFC 9074 6.1", UTC: true},
	{Name: "ACTION", Types: "TEXT", Section: "RFC 5545 3.8.6.1"},
	{Name: "ATTACH", Types: "URI BINARY", Params: "FMTTYPE ENCODING MANAGED-ID SIZE FILENAME", Section: "RFC 5545 3.8.1.1"},
	{Name: "ATTENDEE", Types: "CAL-ADDRESS", Params: "CUTYPE MEMBER ROLE PARTSTAT RSVP DELEGATED-TO DELEGATED-FROM " + personParams, Section: "RFC 5545 3.8.4.1"},
	{Name: "BUSYTYPE", Types: "TEXT", Section: "RFC 7953 3.2", Values: ""},
	{Name: "CALENDAR-ADDRESS", Types: "CAL-ADDRESS", Section: "RFC 9073 6.4"},
	{Name: "CALSCALE", Types: "TEXT", Section: "RFC 5545 3.7.1", Values: "GREGORIAN"},
	{Name: "CATEGORIES", Types: "TEXT", Params: "LANGUAGE", Section: "RFC 5545 3.8.1.2", List: true},
	{Name: "CLASS", Types: "TEXT", Section: "RFC 5545 3.8.1.3"},
	{Name: "COLOR", Types: "TEXT", Section: "RFC 7986 5.9"},
	{Name: "COMMENT", Types: "TEXT", Params: textParams, Section: "RFC 5545 3.8.1.4"},
	{Name: "COMPLETED", Types: "DATE-TIME", Section: "RFC 5545 3.8.2.1", UTC: true},
	{Name: "CONCEPT", Types: "URI", Section: "RFC 9253 8.1"},
	{Name: "CONFERENCE", Types: "- URI", Params: "FEATURE LABEL LANGUAGE", Section: "RFC 7986 5.11"},
	{Name: "CONTACT", Types: "TEXT", Params: textParams, Section: "RFC 5545 3.8.4.2"},
	{Name: "CREATED", Types: "DATE-TIME", Section: "RFC 5545 3.8.7.1", UTC: true},
	{Name: "DESCRIPTION", Types: "TEXT", Params: textParams, Section: "RFC 5545 3.8.1.5"},
	{Name: "DTEND", Types: "DATE-TIME DATE", Params: "TZID", Section: "RFC 5545 3.8.2.2"},
	{Name: "DTSTAMP", Types: "DATE-TIME", Section: "RFC 5545 3.8.7.2", UTC: true},
	{Name: "DTSTART", Types: "DATE-TIME DATE", Params: "TZID", Section: "RFC 5545 3.8.2.4"},
	{Name: "DUE", Types: "DATE-TIME DATE", Params: "TZID", Section: "RFC 5545 3.8.2.3"},
	{Name: "DURATION", Types: "DURATION", Section: "RFC 5545 3.8.2.5"},
	{Name: "EXDATE", Types: "DATE-TIME DATE", Params: "TZID", Section: "RFC 5545 3.8.5.1", List: true},
	{Name: "EXRULE", Types: "RECUR", Section: "RFC 2445 4.8.5.2"},
	{Name: "FREEBUSY", Types: "PERIOD", Params: "FBTYPE", Section: "RFC 5545 3.8.2.6", List: true, UTC: true},
	{Name: "GEO", Types: "FLOAT", Section: "RFC 5545 3.8.1.6"},
	{Name: "IMAGE", Types: "- URI BINARY", Params: "FMTTYPE ALTREP DISPLAY ENCODING", Section: "RFC 7986 5.10"},
	{Name: "LAST-MODIFIED", Types: "DATE-TIME", Section: "RFC 5545 3.8.7.3", UTC: true},
	{Name: "LINK", Types: "- URI UID XML-REFERENCE", Params: "LINKREL FMTTYPE LABEL LANGUAGE", Section: "RFC 9253 8.2"},
	{Name: "LOCATION", Types: "TEXT", Params: textParams, Section: "RFC 5545 3.8.1.7"},
	{Name: "LOCATION-TYPE", Types: "TEXT", Section: "RFC 9073 6.1", List: true},
	{Name: "METHOD", Types: "TEXT", Section: "RFC 5545 3.7.2"},
	{Name: "NAME", Types: "TEXT", Params: textParams, Section: "RFC 7986 5.1"},
	{Name: "ORGANIZER", Types: "CAL-ADDRESS", Params: personParams, Section: "RFC 5545 3.8.4.3"},
	{Name: "PARTICIPANT-TYPE", Types: "TEXT", Section: "RFC 9073 6.2"},
	{Name: "PERCENT-COMPLETE", Types: "INTEGER", Section: "RFC 5545 3.8.1.8"},
	{Name: "PRIORITY", Types: "INTEGER", Section: "RFC 5545 3.8.1.9"},
	{Name: "PRODID", Types: "TEXT", Section: "RFC 5545 3.7.3"},
	{Name: "PROXIMITY", Types: "TEXT", Section: "RFC 9074 8.1"},
	{Name: "RDATE", Types: "DATE-TIME DATE PERIOD", Params: "TZID", Section: "RFC 5545 3.8.5.2", List: true},
	{Name: "RECURRENCE-ID", Types: "DATE-TIME DATE", Params: "TZID RANGE", Section: "RFC 5545 3.8.4.4"},
	{Name: "REFID", Types: "TEXT", Section: "RFC 9253 8.3"},
	{Name: "REFRESH-INTERVAL", Types: "- DURATION", Section: "RFC 7986 5.7"},
	{Name: "RELATED-TO", Types: "TEXT URI UID", Params: "RELTYPE GAP", Section: "RFC 5545 3.8.4.5"},
	{Name: "REPEAT", Types: "INTEGER", Section: "RFC 5545 3.8.6.2"},
	{Name: "REQUEST-STATUS", Types: "TEXT", Params: "LANGUAGE", Section: "RFC 5545 3.8.8.3"},
	{Name: "RESOURCE-TYPE", Types: "TEXT", Section: "RFC 9073 6.3"},
	{Name: "RESOURCES", Types: "TEXT", Params: textParams, Section: "RFC 5545 3.8.1.10", List: true},
	{Name: "RRULE", Types: "RECUR", Section: "RFC 5545 3.8.5.3"},
	{Name: "SEQUENCE", Types: "INTEGER", Section: "RFC 5545 3.8.7.4"},
	{Name: "SOURCE", Types: "- URI", Section: "RFC 7986 5.8"},
	{Name: "STATUS", Types: "TEXT", Section: "RFC 5545 3.8.1.11"},
	{Name: "STRUCTURED-DATA", Types: "- TEXT BINARY URI", Params: "FMTTYPE SCHEMA ENCODING", Section: "RFC 9073 6.6"},
	{Name: "STYLED-DESCRIPTION", Types: "- TEXT URI", Params: "ALTREP LANGUAGE FMTTYPE", Section: "RFC 9073 6.5"},
	{Name: "SUMMARY", Types: "TEXT", Params: textParams, Section: "RFC 5545 3.8.1.12"},
	{Name: "TRANSP", Types: "TEXT", Section: "RFC 5545 3.8.2.7", Values: "OPAQUE TRANSPARENT"},
	{Name: "TRIGGER", Types: "DURATION DATE-TIME", Params: "RELATED", Section: "RFC 5545 3.8.6.3", UTC: true},
	{Name: "TZID", Types: "TEXT", Section: "RFC 5545 3.8.3.1"},
	{Name: "TZID-ALIAS-OF", Types: "TEXT", Section: "RFC 7808 7.2"},
	{Name: "TZNAME", Types: "TEXT", Params: "LANGUAGE", Section: "RFC 5545 3.8.3.2"},
	{Name: "TZOFFSETFROM", Types: "UTC-OFFSET", Section: "RFC 5545 3.8.3.3"},
	{Name: "TZOFFSETTO", Types: "UTC-OFFSET", Section: "RFC 5545 3.8.3.4"},
	{Name: "TZUNTIL", Types: "DATE-TIME", Section: "RFC 7808 7.1", UTC: true},
	{Name: "TZURL", Types: "URI", Section: "RFC 5545 3.8.3.5"},
	{Name: "UID", Types: "TEXT", Section: "RFC 5545 3.8.4.7"},
	{Name: "URL", Types: "URI", Section: "RFC 5545 3.8.4.6"},
	{Name: "VERSION", Types: "TEXT", Section: "RFC 5545 3.7.4", Values: "2.0"},
	{Name: "XML", Types: "TEXT BINARY", Params: "ENCODING", Section: "RFC 6321 4.2"},
}

// ParameterDef is what the standards say about a parameter.
type ParameterDef struct {
	Name    string
	Section string
	Values  string // known values, "" = free
	Closed  bool   // no other values are allowed
	Quoted  bool   // the grammar demands quotes
	List    bool   // more than one value
	Type    ValueType
}

// Knows tells whether value, in any case, is one of the known values.
func (d *ParameterDef) Knows(value string) bool { return hasWord(d.Values, upper(value)) }

// LookupParameter finds a parameter by its upper-case name.
func LookupParameter(name string) (*ParameterDef, bool) {
	i, ok := slices.BinarySearchFunc(parameterTable, name, func(d ParameterDef, name string) int { return strings.Compare(d.Name, name) })
	if !ok {
		return nil, false
	}
	return &parameterTable[i], true
}

// parameterTable is sorted by name.
var parameterTable = []ParameterDef{
	{Name: "ALTREP", Section: "RFC 5545 3.2.1", Quoted: true, Type: URI},
	{Name: "CN", Section: "RFC 5545 3.2.2"},
	{Name: "CUTYPE", Section: "RFC 5545 3.2.3", Values: "INDIVIDUAL GROUP RESOURCE ROOM UNKNOWN"},
	{Name: "DELEGATED-FROM", Section: "RFC 5545 3.2.4", Quoted: true, List: true, Type: CalAddress},
	{Name: "DELEGATED-TO", Section: "RFC 5545 3.2.5", Quoted: true, List: true, Type: CalAddress},
	{Name: "DERIVED", Section: "RFC 9073 5.3", Values: "TRUE FALSE", Closed: true},
	{Name: "DIR", Section: "RFC 5545 3.2.6", Quoted: true, Type: URI},
	{Name: "DISPLAY", Section: "RFC 7986 6.1", Values: "BADGE GRAPHIC FULLSIZE THUMBNAIL", List: true},
	{Name: "EMAIL", Section: "RFC 7986 6.2"},
	{Name: "ENCODING", Section: "RFC 5545 3.2.7", Values: "8BIT BASE64", Closed: true},
	{Name: "FBTYPE", Section: "RFC 5545 3.2.9", Values: "FREE BUSY BUSY-UNAVAILABLE BUSY-TENTATIVE"},
	{Name: "FEATURE", Section: "RFC 7986 6.3", Values: "AUDIO CHAT FEED MODERATOR PHONE SCREEN VIDEO", List: true},
	{Name: "FILENAME", Section: "RFC 8607 4.2"},
	{Name: "FMTTYPE", Section: "RFC 5545 3.2.8"},
	{Name: "GAP", Section: "RFC 9253 6.2", Type: DurationType},
	{Name: "LABEL", Section: "RFC 7986 6.4"},
	{Name: "LANGUAGE", Section: "RFC 5545 3.2.10"},
	{Name: "LINKREL", Section: "RFC 9253 6.1"},
	{Name: "MANAGED-ID", Section: "RFC 8607 4.3"},
	{Name: "MEMBER", Section: "RFC 5545 3.2.11", Quoted: true, List: true, Type: CalAddress},
	{Name: "ORDER", Section: "RFC 9073 5.1", Type: Integer},
	{Name: "PARTSTAT", Section: "RFC 5545 3.2.12", Values: "NEEDS-ACTION ACCEPTED DECLINED TENTATIVE DELEGATED COMPLETED IN-PROCESS"},
	{Name: "RANGE", Section: "RFC 5545 3.2.13", Values: "THISANDFUTURE", Closed: true},
	{Name: "RELATED", Section: "RFC 5545 3.2.14", Values: "START END", Closed: true},
	{Name: "RELTYPE", Section: "RFC 5545 3.2.15", Values: "PARENT CHILD SIBLING SNOOZE CONCEPT DEPENDS-ON FINISHTOFINISH FINISHTOSTART FIRST NEXT REFID STARTTOFINISH STARTTOSTART"},
	{Name: "ROLE", Section: "RFC 5545 3.2.16", Values: "CHAIR REQ-PARTICIPANT OPT-PARTICIPANT NON-PARTICIPANT"},
	{Name: "RSVP", Section: "RFC 5545 3.2.17", Values: "TRUE FALSE", Closed: true},
	{Name: "SCHEDULE-AGENT", Section: "RFC 6638 7.1", Values: "SERVER CLIENT NONE"},
	{Name: "SCHEDULE-FORCE-SEND", Section: "RFC 6638 7.2", Values: "REQUEST REPLY"},
	{Name: "SCHEDULE-STATUS", Section: "RFC 6638 7.3", List: true},
	{Name: "SCHEMA", Section: "RFC 9073 5.2", Quoted: true, Type: URI},
	{Name: "SENT-BY", Section: "RFC 5545 3.2.18", Quoted: true, Type: CalAddress},
	{Name: "SIZE", Section: "RFC 8607 4.1", Type: Integer},
	{Name: "TZID", Section: "RFC 5545 3.2.19"},
	{Name: "VALUE", Section: "RFC 5545 3.2.20", Values: "BINARY BOOLEAN CAL-ADDRESS DATE DATE-TIME DURATION FLOAT INTEGER PERIOD RECUR TEXT TIME URI UTC-OFFSET UID XML-REFERENCE"},
}

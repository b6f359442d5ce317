package check

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
)

// vocabulary are the registered values of properties that may have others too.
var vocabulary = map[string]string{
	"ACTION":           "AUDIO DISPLAY EMAIL",
	"BUSYTYPE":         "BUSY BUSY-UNAVAILABLE BUSY-TENTATIVE",
	"CLASS":            "PUBLIC PRIVATE CONFIDENTIAL",
	"PARTICIPANT-TYPE": "ACTIVE INACTIVE SPONSOR CONTACT BOOKING-CONTACT EMERGENCY-CONTACT PUBLICITY-CONTACT PLANNER-CONTACT PERFORMER SPEAKER",
	"PROXIMITY":        "ARRIVE DEPART CONNECT DISCONNECT",
}

// colors are the names of CSS3, which COLOR takes (RFC 7986 5.9).
var colors = " aliceblue antiquewhite aqua aquamarine azure beige bisque black blanchedalmond blue blueviolet brown burlywood cadetblue chartreuse " +
	"chocolate coral cornflowerblue cornsilk crimson cyan darkblue darkcyan darkgoldenrod darkgray darkgreen darkgrey darkkhaki darkmagenta " +
	"darkolivegreen darkorange darkorchid darkred darksalmon darkseagreen darkslateblue darkslategray darkslategrey darkturquoise darkviolet " +
	"deeppink deepskyblue dimgray dimgrey dodgerblue firebrick floralwhite forestgreen fuchsia gainsboro ghostwhite gold goldenrod gray green " +
	"greenyellow grey honeydew hotpink indianred indigo ivory khaki lavender lavenderblush lawngreen lemonchiffon lightblue lightcoral lightcyan " +
	"lightgoldenrodyellow lightgray lightgreen lightgrey lightpink lightsalmon lightseagreen lightskyblue lightslategray lightslategrey " +
	"lightsteelblue lightyellow lime limegreen linen magenta maroon mediumaquamarine mediumblue mediumorchid mediumpurple mediumseagreen " +
	"mediumslateblue mediumspringgreen mediumturquoise mediumvioletred midnightblue mintcream mistyrose moccasin navajowhite navy oldlace olive " +
	"olivedrab orange orangered orchid palegoldenrod palegreen paleturquoise palevioletred papayawhip peachpuff peru pink plum powderblue purple " +
	"red rosybrown royalblue saddlebrown salmon sandybrown seagreen seashell sienna silver skyblue slateblue slategray slategrey snow springgreen " +
	"steelblue tan teal thistle tomato turquoise violet wheat white whitesmoke yellow yellowgreen "

// notIn are the parameters that an ATTENDEE must not have outside of events,
// to-dos and journal entries (RFC 5545 3.8.4.1).
const notIn = "CUTYPE MEMBER ROLE PARTSTAT RSVP DELEGATED-TO DELEGATED-FROM SENT-BY DIR CN"

var mediaType = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}(;.*)?$`)

// consistency judges what concerns several lines, or a line by its component.
func (k *checker) consistency(c *ical.Component, ls *lines) {
	styled := []*line(nil)
	for _, l := range ls.all {
		if words := vocabulary[l.name]; words != "" && !hasWord(words, strings.ToUpper(l.value)) && !isX(strings.ToUpper(l.value)) {
			def, _ := ical.LookupProperty(l.name)
			k.at(Warning, l, l.valueAt, "unknown-value", def.Section, "%s is %q, known are %s", l.name, clip(l.value), strings.ReplaceAll(words, " ", ", "))
		}
		switch l.name {
		case "UID", "PRODID", "TZID":
			if strings.TrimSpace(l.value) == "" {
				k.at(Error, l, l.valueAt, "value", "RFC 5545 3.8.4.7", "%s is empty", l.name)
			}
		case "COLOR":
			if !strings.Contains(colors, " "+strings.ToLower(l.value)+" ") {
				k.at(Error, l, l.valueAt, "value", "RFC 7986 5.9", "COLOR is %q, it must be a name of CSS3 such as turquoise", clip(l.value))
			}
		case "GEO":
			k.geo(l)
		case "ATTENDEE":
			if c.Name == "VFREEBUSY" || c.Name == "VALARM" {
				for _, q := range l.params {
					if hasWord(notIn, q.name) {
						k.at(Error, l, q.at, "parameter-place", "RFC 5545 3.8.4.1", "%s must not stand in an ATTENDEE of a %s", q.name, c.Name)
					}
				}
			}
		case "EXRULE":
			k.at(Warning, l, 0, "deprecated", "RFC 5545 A.3", "EXRULE is of RFC 2445 and no longer defined")
		case "LINK":
			if _, ok := l.param("LINKREL"); !ok {
				k.at(Error, l, 0, "parameter-missing", "RFC 9253 6.1", "LINK must have LINKREL")
			}
		case "STRUCTURED-DATA":
			k.structuredData(l)
		case "STYLED-DESCRIPTION":
			styled = append(styled, l)
		case "FREEBUSY":
			k.freeBusy(l)
		case "DTSTART", "DTEND":
			k.form(l, c)
		}
	}
	k.styled(styled, ls)
	if l := ls.first["RRULE"]; l != nil && ls.first["DTSTART"] == nil && c.Name != "VTODO" { // the others have a finding for DTSTART or of times
		if c.Name == "VJOURNAL" || c.Name == "VEVENT" && k.method != "" {
			k.at(Error, l, 0, "rule-without-start", "RFC 5545 3.8.2.4", "a %s with RRULE must have DTSTART", c.Name)
		}
	}
}

func (k *checker) geo(l *line) {
	latitude, longitude, _ := strings.Cut(l.value, ";")
	for _, q := range []struct {
		name, text string
		most       float64
	}{{"latitude", latitude, 90}, {"longitude", longitude, 180}} {
		if f, err := strconv.ParseFloat(q.text, 64); err == nil && (f > q.most || f < -q.most) {
			k.at(Error, l, l.valueAt, "range", "RFC 5545 3.8.1.6", "the %s of GEO is %s, it must be between -%g and %g", q.name, clip(q.text), q.most, q.most)
		}
	}
}

func (k *checker) structuredData(l *line) {
	if v, ok := l.param("VALUE"); !ok || strings.EqualFold(v.text, ical.URI) {
		return
	}
	for _, name := range []string{"FMTTYPE", "SCHEMA"} {
		if _, ok := l.param(name); !ok {
			k.at(Error, l, 0, "parameter-missing", "RFC 9073 6.6", "STRUCTURED-DATA with its data inline must have %s", name)
		}
	}
}

// styled: all but one of them are made of the one (RFC 9073 6.5).
func (k *checker) styled(list []*line, ls *lines) {
	derived := func(l *line) bool {
		v, ok := l.param("DERIVED")
		return ok && strings.EqualFold(v.text, "TRUE")
	}
	originals := 0
	for _, l := range list {
		if derived(l) {
			continue
		}
		if originals++; originals == 2 {
			k.at(Error, l, 0, "derived", "RFC 9073 6.5", "all STYLED-DESCRIPTION but one must have DERIVED=TRUE")
		}
	}
	if len(list) > 1 && originals == 0 {
		k.at(Error, list[0], 0, "derived", "RFC 9073 6.5", "one STYLED-DESCRIPTION must not have DERIVED=TRUE")
	}
	if d := ls.first["DESCRIPTION"]; d != nil && originals > 0 && !derived(d) {
		k.at(Warning, d, 0, "derived", "RFC 9073 6.5", "DESCRIPTION beside a STYLED-DESCRIPTION should have DERIVED=TRUE")
	}
}

// freeBusy judges periods among each other; each by itself is judged as a
// value (RFC 5545 3.8.2.6).
func (k *checker) freeBusy(l *line) {
	last, at := "", l.valueAt
	for item := range strings.SplitSeq(l.value, ",") {
		start, end, _ := strings.Cut(item, "/")
		if dateTime(start) != "" {
			return
		}
		if dateTime(end) == "" && !strings.HasSuffix(end, "Z") {
			k.at(Error, l, at, "utc", "RFC 5545 3.8.2.6", "FREEBUSY must be in UTC, ending with Z")
		}
		if start < last {
			k.at(Warning, l, at, "free-busy-order", "RFC 5545 3.8.2.6", "the periods of FREEBUSY should be in ascending order")
			return
		}
		last = start
		at += len(item) + 1
	}
}

// form judges the form of DTSTART and DTEND where the component demands one.
func (k *checker) form(l *line, c *ical.Component) {
	m, ok := momentOf(l)
	switch {
	case !ok:
	case c.Name == "VFREEBUSY" && m.Kind != ical.UTC:
		k.at(Error, l, l.valueAt, "utc", "RFC 5545 3.6.4", "%s of a VFREEBUSY must be a time in UTC, it is %s", l.name, m.describe())
	case (c.Name == "VAVAILABILITY" || c.Name == "AVAILABLE") && (m.IsDate() || m.floating()):
		k.at(Error, l, l.valueAt, "time-form", "RFC 7953 3.1", "%s of a %s must be a time in UTC or in a zone, it is %s", l.name, c.Name, m.describe())
	}
}

// alarmTakes are the properties that only some actions have (RFC 5545 3.6.6).
var alarmTakes = map[string]string{
	"AUDIO":   "ATTACH",
	"DISPLAY": "DESCRIPTION",
	"EMAIL":   "ATTACH ATTENDEE DESCRIPTION SUMMARY",
}

// alarmPlace judges whether the properties of an alarm go with its action, and
// its place with its proximity (RFC 9074 8.1).
func (k *checker) alarmPlace(c *ical.Component, ls *lines) {
	action := ls.first["ACTION"]
	if action == nil {
		return
	}
	if takes, ok := alarmTakes[strings.ToUpper(action.value)]; ok {
		for _, l := range ls.all {
			if hasWord(alarmTakes["EMAIL"], l.name) && !hasWord(takes, l.name) {
				k.at(Warning, l, 0, "property-place", "RFC 5545 3.6.6", "%s is not defined for an alarm of ACTION %s", l.name, strings.ToUpper(action.value))
			}
		}
	}
	if p := ls.first["PROXIMITY"]; p != nil && (strings.EqualFold(p.value, "ARRIVE") || strings.EqualFold(p.value, "DEPART")) {
		for range c.Children("VLOCATION") {
			return
		}
		k.at(Error, p, p.valueAt, "missing", "RFC 9074 8.1", "an alarm of PROXIMITY %s must have a VLOCATION", strings.ToUpper(p.value))
	}
}

// followed judges how a rule and DTSTART go together: DTSTART should be an
// occurrence (RFC 5545 3.8.5.3), and the end not before it.
func (k *checker) followed(c *ical.Component, l *line, start moment) {
	if l.faulty {
		return
	}
	r, err := recur.ParseRule(l.value)
	if err != nil || l.name != "RRULE" || c.Name == "STANDARD" || c.Name == "DAYLIGHT" {
		return
	}
	if r.HasUntil && r.Until.IsDate() == start.IsDate() && (start.Kind == ical.UTC || start.IsDate() || r.Until.Kind != ical.UTC) && r.Until.Wall.Before(start.Wall) {
		k.at(Warning, l, l.valueAt, "until-before-start", recurSection, "UNTIL is before DTSTART")
		return
	}
	if r.Freq < recur.Daily || r.RScale != "" && r.RScale != "GREGORIAN" {
		return
	}
	r.Count, r.HasUntil = 1, false
	for first := range r.All(start.Wall) {
		if !first.Equal(start.Wall) {
			k.at(Warning, l, l.valueAt, "start-not-in-rule", "RFC 5545 3.8.5.3", "DTSTART is none of the rule's occurrences: what recurs then is not defined")
		}
		return
	}
}

package caldav

import (
	"slices"
	"strings"
)

// ContentTypes in which calendar data can be asked for: iCalendar, jCal (RFC
// 7265) and xCal (RFC 6321).
var ContentTypes = []string{"text/calendar", "application/calendar+json", "application/calendar+xml"}

// DataRequest is a CALDAV:calendar-data in a request: the parts of an object
// that a client wants (RFC 4791 9.6). The zero value is the whole object.
type DataRequest struct {
	ContentType     string // "" = text/calendar
	Version         string // "" = 2.0
	Comp            *CompRequest
	Expand          *TimeRange // RFC 4791 9.6.5; both ends set
	LimitRecurrence *TimeRange // RFC 4791 9.6.6
	LimitFreeBusy   *TimeRange // RFC 4791 9.6.7
}

// CompRequest says what is wanted of a component (RFC 4791 9.6.1).
type CompRequest struct {
	Name     string // upper case
	AllProps bool
	Props    []WantedProp
	AllComps bool
	Comps    []CompRequest
}

// WantedProp is a property that is wanted, perhaps without its value.
type WantedProp struct {
	Name    string // upper case
	NoValue bool
}

// Whole reports whether stored octets answer the request as they are.
func (d *DataRequest) Whole() bool {
	return d == nil || d.Comp == nil && d.Expand == nil && d.LimitRecurrence == nil && d.LimitFreeBusy == nil
}

func parseDataRequest(e *Element) (*DataRequest, error) {
	d := &DataRequest{ContentType: e.Attr("content-type"), Version: e.Attr("version")}
	// RFC 4791 9.6 and its precondition CALDAV:supported-calendar-data
	if d.ContentType = strings.ToLower(d.ContentType); d.ContentType != "" && !slices.Contains(ContentTypes, d.ContentType) {
		return nil, refuse("supported-calendar-data", e.Line, "Calendar data is available as %s, not as %q.", strings.Join(ContentTypes, ", "), d.ContentType)
	}
	if v := d.Version; v != "" && v != "2.0" {
		return nil, refuse("supported-calendar-data", e.Line, "Calendar data is available in version 2.0, not in %q.", v)
	}
	nodes := 0
	for c := range e.Elements() {
		var to **TimeRange
		switch c.Name {
		case C("comp"):
			if d.Comp != nil {
				return nil, refuse(Malformed, c.Line, "A calendar-data holds at most one comp, for VCALENDAR.")
			}
			comp, err := parseCompRequest(c, &nodes, 1)
			if err != nil {
				return nil, err
			}
			if comp.Name != "VCALENDAR" {
				return nil, refuse(Malformed, c.Line, "The comp of a calendar-data is VCALENDAR, not %s.", comp.Name)
			}
			d.Comp = &comp
			continue
		case C("expand"):
			to = &d.Expand
		case C("limit-recurrence-set"):
			to = &d.LimitRecurrence
		case C("limit-freebusy-set"):
			to = &d.LimitFreeBusy
		default:
			continue
		}
		r, err := parseTimeRange(c, Malformed, true)
		if err != nil {
			return nil, err
		}
		*to = &r
	}
	if d.Expand != nil && d.LimitRecurrence != nil {
		return nil, refuse(Malformed, e.Line, "A calendar-data asks for expand or for limit-recurrence-set, not for both.")
	}
	return d, nil
}

func parseCompRequest(e *Element, nodes *int, depth int) (CompRequest, error) {
	r := CompRequest{Name: strings.ToUpper(e.Attr("name"))}
	if r.Name == "" {
		return r, refuse(Malformed, e.Line, "A comp has no name.")
	}
	if *nodes++; *nodes > maxFilterNodes || depth > maxFilterDepth {
		return r, refuse(BeyondSize, e.Line, "A calendar-data names at most %d components, %d deep.", maxFilterNodes, maxFilterDepth)
	}
	for c := range e.Elements() {
		switch c.Name {
		case C("allprop"):
			r.AllProps = true
		case C("allcomp"):
			r.AllComps = true
		case C("prop"):
			if len(r.Props) >= maxProps {
				return r, refuse(BeyondSize, c.Line, "A comp names at most %d properties.", maxProps)
			}
			r.Props = append(r.Props, WantedProp{Name: strings.ToUpper(c.Attr("name")), NoValue: c.Attr("novalue") == "yes"})
		case C("comp"):
			sub, err := parseCompRequest(c, nodes, depth+1)
			if err != nil {
				return r, err
			}
			r.Comps = append(r.Comps, sub)
		}
	}
	return r, nil
}

package caldav

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Report is the body of a REPORT: one of the pointer types below, by its root element.
type Report interface{ Name() Name }

type (
	// CalendarQuery is RFC 4791 7.8.
	CalendarQuery struct {
		PropRequest
		Filter     Filter
		TimeZone   string // iCalendar text with one VTIMEZONE, "" when absent
		TimeZoneID string // RFC 7809 3.1.6
		Limit      int    // CALDAV:limit/nresults, 0 = none
	}
	// CalendarMultiget is RFC 4791 7.9.
	CalendarMultiget struct {
		PropRequest
		Hrefs []string
	}
	// FreeBusyQuery is RFC 4791 7.10.
	FreeBusyQuery struct{ Range TimeRange }
	// SyncCollection is RFC 6578 6.1.
	SyncCollection struct {
		PropRequest
		Token    string
		Level    string // "1" or "infinite"; "" in the requests of old clients, which send Depth
		Limit    int    // DAV:limit/nresults, 0 = none
		HasLimit bool
	}
	// ExpandProperty is RFC 3253 3.8.
	ExpandProperty struct{ Properties []Expansion }
	// Expansion is a property to be had, and the properties of what its hrefs point to.
	Expansion struct {
		Name       Name
		Properties []Expansion
	}
	// PrincipalPropertySearch is RFC 3744 9.4.
	PrincipalPropertySearch struct {
		PropRequest
		AnyOf      bool // test="anyof"
		Searches   []PropertySearch
		Everywhere bool // apply-to-principal-collection-set
		Limit      int
	}
	// PropertySearch is one condition of a principal search: any of the properties contains the text.
	PropertySearch struct {
		Names []Name
		Match string
		Kind  string // match-type: contains, starts-with, equals (CalendarServer's extension); contains by default
	}
	// PrincipalSearch is CalendarServer's calendarserver-principal-search: every word is in some property.
	PrincipalSearch struct {
		PropRequest
		Tokens  []string
		Context string // attendee, location, resource, user, group, "" = any
		Limit   int
	}
	// PrincipalSearchPropertySet is RFC 3744 9.5.
	PrincipalSearchPropertySet struct{}
	// PrincipalMatch is RFC 3744 9.3.
	PrincipalMatch struct {
		PropRequest
		Self     bool
		Property Name
	}
	// ACLPrincipalPropSet is RFC 3744 9.2.
	ACLPrincipalPropSet struct{ PropRequest }
	// UnknownReport is any other.
	UnknownReport struct{ Root Name }
)

func (*CalendarQuery) Name() Name              { return C("calendar-query") }
func (*CalendarMultiget) Name() Name           { return C("calendar-multiget") }
func (*FreeBusyQuery) Name() Name              { return C("free-busy-query") }
func (*SyncCollection) Name() Name             { return D("sync-collection") }
func (*ExpandProperty) Name() Name             { return D("expand-property") }
func (*PrincipalPropertySearch) Name() Name    { return D("principal-property-search") }
func (*PrincipalSearch) Name() Name            { return CS("calendarserver-principal-search") }
func (*PrincipalSearchPropertySet) Name() Name { return D("principal-search-property-set") }
func (*PrincipalMatch) Name() Name             { return D("principal-match") }
func (*ACLPrincipalPropSet) Name() Name        { return D("acl-principal-prop-set") }
func (r *UnknownReport) Name() Name            { return r.Root }

// ParseReport reads the body of a REPORT.
func ParseReport(body []byte, l Limits) (Report, error) {
	l = l.orDefault()
	var (
		props    propParser
		report   Report
		children []*Element
		hrefs    []string
	)
	root, err := document(body, l, func(root, e *Element) error {
		switch {
		case root.Is(C("calendar-multiget")) && e.Is(D("href")):
			// Not kept as elements: there may be as many as objects in the calendar.
			if len(hrefs) >= l.Hrefs {
				return refuse("number-of-matches", e.Line, "A calendar-multiget names at most %d resources; ask in several requests.", l.Hrefs)
			}
			hrefs = append(hrefs, trimmed(e))
			return nil
		case root.Is(D("expand-property")):
		case e.Is(D("href")):
			return nil // of no other report; RFC 4918 17
		default:
			if err := props.take(e); err != nil {
				return err
			}
		}
		children = append(children, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	root.Nodes = nil
	for _, c := range children {
		root.Nodes = append(root.Nodes, Node{Element: c})
	}
	pr := props.PropRequest
	switch root.Name {
	case C("calendar-query"):
		report, err = parseCalendarQuery(root, pr)
	case C("calendar-multiget"):
		if len(hrefs) == 0 {
			return nil, refuse(Malformed, root.Line, "The calendar-multiget names no DAV:href.")
		}
		report = &CalendarMultiget{PropRequest: pr, Hrefs: hrefs}
	case C("free-busy-query"):
		report, err = parseFreeBusyQuery(root)
	case D("sync-collection"):
		report, err = parseSync(root, pr)
	case D("expand-property"):
		x, err := parseExpansions(root, 0, new(int))
		if err != nil {
			return nil, err
		}
		report = &ExpandProperty{Properties: x}
	case D("principal-property-search"):
		report, err = parsePrincipalPropertySearch(root, pr)
	case CS("calendarserver-principal-search"):
		report, err = parsePrincipalSearch(root, pr)
	case D("principal-search-property-set"):
		report = &PrincipalSearchPropertySet{}
	case D("principal-match"):
		report, err = parsePrincipalMatch(root, pr)
	case D("acl-principal-prop-set"):
		report = &ACLPrincipalPropSet{pr}
	default:
		report = &UnknownReport{Root: root.Name}
	}
	if err != nil {
		return nil, err
	}
	return report, nil
}

func parseCalendarQuery(root *Element, pr PropRequest) (*CalendarQuery, error) {
	q := &CalendarQuery{PropRequest: pr}
	fe := root.Child(C("filter"))
	if fe == nil {
		return nil, refuse("valid-filter", root.Line, "The calendar-query has no CALDAV:filter.")
	}
	f, err := parseFilter(fe)
	if err != nil {
		return nil, err
	}
	q.Filter = *f
	if e := root.Child(C("timezone")); e != nil {
		q.TimeZone = e.Text()
	}
	if e := root.Child(C("timezone-id")); e != nil {
		q.TimeZoneID = trimmed(e)
	}
	q.Limit, _, err = limit(root.Child(C("limit")), C("nresults"))
	return q, err
}

// limit reads DAV:limit or its like; a number below 1 is not one.
func limit(e *Element, name Name) (n int, given bool, err error) {
	if e == nil {
		return 0, false, nil
	}
	c := e.Child(name)
	if c == nil {
		return 0, false, refuse(Malformed, e.Line, "The limit has no nresults.")
	}
	n, convErr := strconv.Atoi(trimmed(c))
	if errors.Is(convErr, strconv.ErrRange) && n > 0 { // as good as none
		return math.MaxInt32, true, nil
	}
	if convErr != nil || n < 1 {
		return 0, false, refuse(Malformed, c.Line, "The limit %q is not a number above 0.", trimmed(c))
	}
	return n, true, nil
}

func parseFreeBusyQuery(root *Element) (*FreeBusyQuery, error) {
	e := root.Child(C("time-range"))
	if e == nil {
		return nil, refuse(Malformed, root.Line, "The free-busy-query has no CALDAV:time-range.")
	}
	r, err := parseTimeRange(e, Malformed, false)
	return &FreeBusyQuery{r}, err
}

func parseSync(root *Element, pr PropRequest) (*SyncCollection, error) {
	s := &SyncCollection{PropRequest: pr}
	if e := root.Child(D("sync-token")); e != nil {
		s.Token = trimmed(e)
	}
	if e := root.Child(D("sync-level")); e != nil {
		s.Level = trimmed(e)
		if s.Level != "1" && s.Level != "infinite" {
			return nil, refuse(Malformed, e.Line, "The sync-level is %q; it must be 1 or infinite.", s.Level)
		}
	}
	var err error
	s.Limit, s.HasLimit, err = limit(root.Child(D("limit")), D("nresults"))
	return s, err
}

// maxExpansions bounds the number of properties in one expand-property.
const maxExpansions = 200

// maxExpansionDepth bounds how far expand-property follows hrefs.
const maxExpansionDepth = 4

func parseExpansions(e *Element, depth int, n *int) ([]Expansion, error) {
	var out []Expansion
	for c := range e.Elements() {
		if !c.Is(D("property")) {
			continue
		}
		if *n++; *n > maxExpansions || depth > maxExpansionDepth {
			return nil, refuse(BeyondSize, c.Line, "An expand-property holds at most %d properties, %d deep.", maxExpansions, maxExpansionDepth)
		}
		x := Expansion{Name: Name{Space: NSDAV, Local: c.Attr("name")}}
		if ns, ok := c.LookupAttr("namespace"); ok {
			x.Name.Space = ns
		}
		if x.Name.Local == "" {
			return nil, refuse(Malformed, c.Line, "A DAV:property has no name.")
		}
		var err error
		if x.Properties, err = parseExpansions(c, depth+1, n); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

func parsePrincipalPropertySearch(root *Element, pr PropRequest) (*PrincipalPropertySearch, error) {
	s := &PrincipalPropertySearch{PropRequest: pr, AnyOf: root.Attr("test") == "anyof"}
	for e := range root.Elements() {
		switch e.Name {
		case D("apply-to-principal-collection-set"):
			s.Everywhere = true
		case D("property-search"):
			var c PropertySearch
			for m := range e.Elements() {
				switch m.Name {
				case D("prop"):
					for p := range m.Elements() {
						c.Names = append(c.Names, p.Name)
					}
				case D("match"):
					c.Match = trimmed(m)
					c.Kind = m.Attr("match-type")
				}
			}
			if len(c.Names) == 0 || e.Child(D("match")) == nil {
				return nil, refuse(Malformed, e.Line, "A property-search needs a DAV:prop and a DAV:match.")
			}
			s.Searches = append(s.Searches, c)
		}
	}
	if len(s.Searches) == 0 {
		return nil, refuse(Malformed, root.Line, "The principal-property-search has no property-search.")
	}
	var err error
	s.Limit, _, err = limit(root.Child(D("limit")), D("nresults"))
	return s, err
}

func parsePrincipalSearch(root *Element, pr PropRequest) (*PrincipalSearch, error) {
	s := &PrincipalSearch{PropRequest: pr, Context: strings.ToLower(root.Attr("context"))}
	for e := range root.Elements() {
		if e.Is(CS("search-token")) && trimmed(e) != "" {
			s.Tokens = append(s.Tokens, trimmed(e))
		}
	}
	if len(s.Tokens) == 0 {
		return nil, refuse(Malformed, root.Line, "The search has no search-token.")
	}
	var err error
	s.Limit, _, err = limit(root.Child(CS("limit")), CS("nresults"))
	return s, err
}

func parsePrincipalMatch(root *Element, pr PropRequest) (*PrincipalMatch, error) {
	m := &PrincipalMatch{PropRequest: pr}
	if root.Child(D("self")) != nil {
		m.Self = true
		return m, nil
	}
	if pp := root.Child(D("principal-property")); pp != nil {
		for p := range pp.Elements() {
			m.Property = p.Name
			return m, nil
		}
	}
	return nil, refuse(Malformed, root.Line, "A principal-match asks for DAV:self or a DAV:principal-property.")
}

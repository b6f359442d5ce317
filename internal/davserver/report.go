package davserver

import (
	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/problem"
)

// reports says where each report is possible: DAV:supported-report-set lists
// exactly these (RFC 3253 3.1.5, 3.6).
var reports = []struct {
	name  caldav.Name
	where kind
}{
	{caldav.C("calendar-query"), calendarColl | inbox | object | message | home},
	{caldav.C("calendar-multiget"), calendarColl | inbox | object | message | home},
	{caldav.C("free-busy-query"), calendarColl},
	{caldav.D("sync-collection"), calendarColl | inbox | home}, // of one's own home
	{caldav.D("expand-property"), anything},
	// Anywhere: with apply-to-principal-collection-set it does not matter where (RFC 3744 9.4).
	{caldav.D("principal-property-search"), anything &^ objects},
	{caldav.D("principal-search-property-set"), anything &^ objects},
	{caldav.CS("calendarserver-principal-search"), anything &^ objects},
	{caldav.D("principal-match"), root | principalSet | homeSet | home | calendarColl | inbox},
	{caldav.D("acl-principal-prop-set"), collections | objects},
}

func supportedReports(q *request, r *resource, x *caldav.Writer) (bool, error) {
	for _, p := range reports {
		if p.where&r.kind == 0 || p.name == caldav.D("sync-collection") && r.owner.ID != q.by.Account && r.kind == home {
			continue
		}
		x.Start(caldav.D("supported-report"))
		x.Start(caldav.D("report"))
		x.Empty(p.name)
		x.End(caldav.D("report"))
		x.End(caldav.D("supported-report"))
	}
	return true, nil
}

// flat reports are defined for Depth 0 alone (RFC 3744 9.2–9.5).
var flat = map[caldav.Name]bool{
	caldav.D("acl-principal-prop-set"): true, caldav.D("principal-match"): true,
	caldav.D("principal-property-search"): true, caldav.D("principal-search-property-set"): true,
}

// report is RFC 3253 3.6.
func (q *request) report() error {
	body, err := readXML(q, caldav.ParseReport)
	if err != nil {
		return err
	}
	if err := q.mayReport(body.Name()); err != nil {
		return err
	}
	if fb, ok := body.(*caldav.FreeBusyQuery); ok {
		return q.freeBusyReport(fb) // needs less than the right to read
	}
	r, err := q.find(q.at)
	if err != nil {
		return err
	}
	if flat[body.Name()] {
		if d, err := q.depth(depth0); err != nil {
			return err
		} else if d != depth0 {
			return problem.New(problem.BadInput, "%s needs Depth 0.", body.Name().Local)
		}
	}
	switch b := body.(type) {
	case *caldav.CalendarQuery:
		return q.calendarQuery(r, b)
	case *caldav.CalendarMultiget:
		return q.multiget(r, b)
	case *caldav.SyncCollection:
		if r.kind == home {
			return q.syncHome(r, b)
		}
		return q.syncCollection(r, b)
	case *caldav.ExpandProperty:
		return q.expandProperty(r, b)
	case *caldav.PrincipalPropertySearch:
		return q.principalPropertySearch(r, b)
	case *caldav.PrincipalSearch:
		return q.principalSearch(b)
	case *caldav.PrincipalSearchPropertySet:
		return q.principalSearchPropertySet()
	case *caldav.PrincipalMatch:
		return q.principalMatch(r, b)
	case *caldav.ACLPrincipalPropSet:
		return q.aclPrincipals(r, b)
	}
	return problem.New(supportedReport, "This report is not possible here.")
}

func (q *request) mayReport(name caldav.Name) error {
	for _, p := range reports {
		if p.name == name {
			if p.where&q.at.kind != 0 {
				return nil
			}
			break
		}
	}
	if q.at.kind&(beyond|nowhere) != 0 {
		return nothingAt(q.at)
	}
	return problem.New(supportedReport, "The report %s is not possible here.", name.Local)
}

package caldav

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const ns = ` xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/"`

func TestPropFindBodies(t *testing.T) { // RFC 4918 9.1
	for _, c := range []struct {
		name, body string
		want       PropRequest
	}{
		{"empty is allprop", "", PropRequest{Kind: AllProp}},
		{"white space is empty", " \r\n", PropRequest{Kind: AllProp}},
		{"prop", `<propfind` + ns + `><prop><getetag/><C:calendar-description/><x xmlns=""/></prop></propfind>`,
			PropRequest{Names: []Name{D("getetag"), C("calendar-description"), {Local: "x"}}}},
		{"no prop in prop", `<propfind` + ns + `><prop/></propfind>`, PropRequest{}},
		{"allprop", `<propfind` + ns + `><allprop/></propfind>`, PropRequest{Kind: AllProp}},
		{"allprop and include", `<propfind` + ns + `><allprop/><include><C:supported-calendar-data/></include></propfind>`,
			PropRequest{Kind: AllProp, Names: []Name{C("supported-calendar-data")}}},
		{"include first", `<propfind` + ns + `><include><acl/></include><allprop/></propfind>`, PropRequest{Kind: AllProp, Names: []Name{D("acl")}}},
		{"propname", `<propfind` + ns + `><propname/></propfind>`, PropRequest{Kind: PropName}},
		{"unknown elements (RFC 4918 17)", `<propfind` + ns + `><E:expired-props xmlns:E="u:e"/><prop E:q="1" xmlns:E="u:e"><getetag/></prop></propfind>`,
			PropRequest{Names: []Name{D("getetag")}}},
	} {
		got, err := ParsePropFind([]byte(c.body), Limits{})
		if err != nil || !cmp.Equal(got, c.want) {
			t.Errorf("%s: error %v, %s", c.name, err, cmp.Diff(c.want, got))
		}
	}
	for _, body := range []string{
		`<propfind xmlns="DAV:"/>`,
		`<propfind xmlns="DAV:"><prop/><allprop/></propfind>`,
		`<prop xmlns="DAV:"/>`,
		`<propfind><prop/></propfind>`,
	} {
		if _, err := ParsePropFind([]byte(body), Limits{}); err == nil {
			t.Errorf("%s is accepted", body)
		}
	}
}

func TestPropPatchKeepsDocumentOrder(t *testing.T) { // RFC 4918 9.2
	steps, err := ParsePropPatch([]byte(`<propertyupdate`+ns+`>
		<set><prop><displayname>One</displayname></prop></set>
		<remove><prop><C:calendar-description/></prop></remove>
		<set xml:lang="en"><prop><displayname>Two</displayname><a xmlns="u:a"><b/></a></prop></set></propertyupdate>`), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range steps {
		got = append(got, fmt.Sprint(s.Remove, " ", s.Value.Fragment()))
	}
	want := []string{
		`false <displayname xmlns="DAV:">One</displayname>`,
		`true <C:calendar-description xmlns:C="urn:ietf:params:xml:ns:caldav"/>`,
		`false <displayname xmlns="DAV:" xml:lang="en">Two</displayname>`,
		`false <a xmlns="u:a" xml:lang="en"><b/></a>`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, body := range []string{``, `<propertyupdate xmlns="DAV:"/>`, `<propfind xmlns="DAV:"/>`} {
		if _, err := ParsePropPatch([]byte(body), Limits{}); err == nil {
			t.Errorf("%q is accepted", body)
		}
	}
}

func TestMakingCollections(t *testing.T) { // RFC 4791 5.3.1, RFC 5689 3
	v, err := ParseMkCalendar([]byte(`<C:mkcalendar`+ns+`><set><prop><displayname>Work</displayname></prop></set></C:mkcalendar>`), Limits{})
	if err != nil || len(v) != 1 || v[0].Text() != "Work" {
		t.Errorf("mkcalendar: %v, %v", v, err)
	}
	v, err = ParseMkCol([]byte(`<mkcol`+ns+`><set><prop><resourcetype><collection/><C:calendar/></resourcetype></prop></set></mkcol>`), Limits{})
	if err != nil || len(v) != 1 || v[0].Child(C("calendar")) == nil {
		t.Errorf("mkcol: %v, %v", v, err)
	}
	if v, err := ParseMkCalendar(nil, Limits{}); err != nil || v != nil {
		t.Errorf("an empty body: %v, %v", v, err)
	}
	if _, err := ParseMkCol([]byte(`<C:mkcalendar`+ns+`/>`), Limits{}); err == nil {
		t.Error("MKCOL takes the body of MKCALENDAR")
	}
}

func date(s string) time.Time {
	t, err := time.Parse("20060102T150405Z", s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestReports(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       Report
	}{
		{"calendar-query (RFC 4791 7.8)", `<C:calendar-query` + ns + `><prop><getetag/><C:calendar-data><C:comp name="vcalendar"><C:prop name="VERSION"/><C:comp name="VEVENT"><C:allprop/><C:allcomp/></C:comp></C:comp><C:limit-freebusy-set start="20260101T000000Z" end="20260102T000000Z"/></C:calendar-data></prop>
			<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="20260101T000000Z"/>
			<C:prop-filter name="attendee"><C:text-match collation="i;octet" negate-condition="yes">Ann</C:text-match><C:param-filter name="PARTSTAT"><C:is-not-defined/></C:param-filter></C:prop-filter></C:comp-filter></C:comp-filter></C:filter><C:timezone-id>Europe/Paris</C:timezone-id></C:calendar-query>`,
			&CalendarQuery{
				PropRequest: PropRequest{Names: []Name{D("getetag"), C("calendar-data")}, Data: &DataRequest{
					Comp:          &CompRequest{Name: "VCALENDAR", Props: []WantedProp{{Name: "VERSION"}}, Comps: []CompRequest{{Name: "VEVENT", AllProps: true, AllComps: true}}},
					LimitFreeBusy: &TimeRange{date("20260101T000000Z"), date("20260102T000000Z")},
				}},
				Filter: Filter{CompFilter{Name: "VCALENDAR", Comps: []CompFilter{{Name: "VEVENT", Range: &TimeRange{Start: date("20260101T000000Z")},
					Props: []PropFilter{{Name: "ATTENDEE", Text: &TextMatch{Text: "Ann", Collation: "i;octet", Negate: true},
						Params: []ParamFilter{{Name: "PARTSTAT", IsNotDefined: true}}}}}}}},
				TimeZoneID: "Europe/Paris",
			}},
		{"calendar-multiget (RFC 4791 7.9)", `<C:calendar-multiget` + ns + `><prop><getetag/></prop><href> /a.ics </href><href>/b%20c.ics</href></C:calendar-multiget>`,
			&CalendarMultiget{PropRequest: PropRequest{Names: []Name{D("getetag")}}, Hrefs: []string{"/a.ics", "/b%20c.ics"}}},
		{"free-busy-query (RFC 4791 7.10)", `<C:free-busy-query` + ns + `><C:time-range start="20260101T000000Z" end="20260102T000000Z"/></C:free-busy-query>`,
			&FreeBusyQuery{TimeRange{date("20260101T000000Z"), date("20260102T000000Z")}}},
		{"sync-collection (RFC 6578 6.1)", `<sync-collection` + ns + `><sync-token/><sync-level>1</sync-level><limit><nresults>100</nresults></limit><prop><getetag/></prop></sync-collection>`,
			&SyncCollection{PropRequest: PropRequest{Names: []Name{D("getetag")}}, Level: "1", Limit: 100, HasLimit: true}},
		{"sync-collection before there was a level", `<sync-collection` + ns + `><sync-token>http://e/1</sync-token><prop/></sync-collection>`, &SyncCollection{Token: "http://e/1"}},
		{"expand-property (RFC 3253 3.8)", `<expand-property` + ns + `><property name="calendar-user-address-set" namespace="urn:ietf:params:xml:ns:caldav"/><property name="group-member-set"><property name="displayname"/></property></expand-property>`,
			&ExpandProperty{[]Expansion{{Name: C("calendar-user-address-set")}, {Name: D("group-member-set"), Properties: []Expansion{{Name: D("displayname")}}}}}},
		{"principal-property-search (RFC 3744 9.4)", `<principal-property-search` + ns + ` test="anyof"><property-search><prop><displayname/><C:calendar-user-address-set/></prop><match match-type="starts-with">ann</match></property-search><prop><displayname/></prop><apply-to-principal-collection-set/></principal-property-search>`,
			&PrincipalPropertySearch{PropRequest: PropRequest{Names: []Name{D("displayname")}}, AnyOf: true, Everywhere: true,
				Searches: []PropertySearch{{Names: []Name{D("displayname"), C("calendar-user-address-set")}, Match: "ann", Kind: "starts-with"}}}},
		{"calendarserver-principal-search", `<CS:calendarserver-principal-search` + ns + ` context="attendee"><CS:search-token>ann</CS:search-token><CS:search-token>bee</CS:search-token><CS:limit><CS:nresults>50</CS:nresults></CS:limit><prop><displayname/></prop></CS:calendarserver-principal-search>`,
			&PrincipalSearch{PropRequest: PropRequest{Names: []Name{D("displayname")}}, Tokens: []string{"ann", "bee"}, Context: "attendee", Limit: 50}},
		{"principal-search-property-set (RFC 3744 9.5)", `<principal-search-property-set` + ns + `/>`, &PrincipalSearchPropertySet{}},
		{"principal-match self (RFC 3744 9.3)", `<principal-match` + ns + `><self/></principal-match>`, &PrincipalMatch{Self: true}},
		{"principal-match property", `<principal-match` + ns + `><principal-property><owner/></principal-property><prop><getetag/></prop></principal-match>`,
			&PrincipalMatch{PropRequest: PropRequest{Names: []Name{D("getetag")}}, Property: D("owner")}},
		{"acl-principal-prop-set (RFC 3744 9.2)", `<acl-principal-prop-set` + ns + `><prop><displayname/></prop></acl-principal-prop-set>`,
			&ACLPrincipalPropSet{PropRequest{Names: []Name{D("displayname")}}}},
		{"another", `<version-tree` + ns + `/>`, &UnknownReport{D("version-tree")}},
	} {
		got, err := ParseReport([]byte(c.body), Limits{})
		if d := cmp.Diff(c.want, got, cmpopts.IgnoreUnexported(TextMatch{})); err != nil || d != "" {
			t.Errorf("%s: error %v, %s", c.name, err, d)
		}
		if err == nil && got.Name() != c.want.Name() {
			t.Errorf("%s: name %v", c.name, got.Name())
		}
	}
}

func TestReportsAreRefusedWithTheirPrecondition(t *testing.T) {
	query := func(filter string) string {
		return `<C:calendar-query` + ns + `><prop/><C:filter>` + filter + `</C:filter></C:calendar-query>`
	}
	event := func(inner string) string {
		return query(`<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">` + inner + `</C:comp-filter></C:comp-filter>`)
	}
	data := func(inner string) string {
		return `<C:calendar-multiget` + ns + `><prop><C:calendar-data ` + inner + `</prop><href>/a</href></C:calendar-multiget>`
	}
	for _, c := range []struct{ name, body, condition string }{
		{"no filter", `<C:calendar-query` + ns + `><prop/></C:calendar-query>`, "valid-filter"},
		{"empty filter", query(""), "valid-filter"},
		{"filter begins with VEVENT", query(`<C:comp-filter name="VEVENT"/>`), "valid-filter"},
		{"two roots", query(`<C:comp-filter name="VCALENDAR"/><C:comp-filter name="VCALENDAR"/>`), "valid-filter"},
		{"VEVENT in VEVENT", event(`<C:comp-filter name="VEVENT"/>`), "valid-filter"},
		{"VTODO in VEVENT", event(`<C:comp-filter name="VTODO"/>`), "valid-filter"},
		{"VALARM in VCALENDAR", query(`<C:comp-filter name="VCALENDAR"><C:comp-filter name="VALARM"/></C:comp-filter>`), "valid-filter"},
		{"VALARM in VJOURNAL", query(`<C:comp-filter name="VCALENDAR"><C:comp-filter name="VJOURNAL"><C:comp-filter name="VALARM"/></C:comp-filter></C:comp-filter>`), "valid-filter"},
		{"no name", event(`<C:prop-filter/>`), "valid-filter"},
		{"is-not-defined beside another", event(`<C:is-not-defined/><C:prop-filter name="UID"/>`), "valid-filter"},
		{"range without ends", event(`<C:time-range/>`), "valid-filter"},
		{"range not in UTC", event(`<C:time-range start="20260101T000000"/>`), "valid-filter"},
		{"range of dates", event(`<C:time-range start="20260101" end="20260102"/>`), "valid-filter"},
		{"range backwards", event(`<C:time-range start="20260102T000000Z" end="20260101T000000Z"/>`), "valid-filter"},
		{"range of length nothing", event(`<C:time-range start="20260102T000000Z" end="20260102T000000Z"/>`), "valid-filter"},
		{"range on VTIMEZONE", query(`<C:comp-filter name="VCALENDAR"><C:comp-filter name="VTIMEZONE"><C:time-range start="20260101T000000Z"/></C:comp-filter></C:comp-filter>`), "supported-filter"},
		{"range on SUMMARY", event(`<C:prop-filter name="SUMMARY"><C:time-range start="20260101T000000Z"/></C:prop-filter>`), "supported-filter"},
		{"more conditions than a filter holds", event(strings.Repeat(`<C:prop-filter name="X"/>`, 300)), "supported-filter"},
		{"unknown collation (RFC 4791 7.5)", event(`<C:prop-filter name="SUMMARY"><C:text-match collation="i;klingon">x</C:text-match></C:prop-filter>`), "supported-collation"},
		{"calendar-data of another type", data(`content-type="text/vcard"/>`), "supported-calendar-data"},
		{"calendar-data of another version", data(`version="1.0"/>`), "supported-calendar-data"},
		{"expand without end", data(`><C:expand start="20260101T000000Z"/></C:calendar-data>`), Malformed},
		{"expand and limit-recurrence-set", data(`><C:expand start="20260101T000000Z" end="20260102T000000Z"/><C:limit-recurrence-set start="20260101T000000Z" end="20260102T000000Z"/></C:calendar-data>`), Malformed},
		{"multiget of nothing", `<C:calendar-multiget` + ns + `><prop/></C:calendar-multiget>`, Malformed},
		{"free-busy without range", `<C:free-busy-query` + ns + `/>`, Malformed},
		{"unknown sync level", `<sync-collection` + ns + `><sync-token/><sync-level>2</sync-level></sync-collection>`, Malformed},
		{"limit of no results", `<sync-collection` + ns + `><sync-token/><sync-level>1</sync-level><limit><nresults>0</nresults></limit></sync-collection>`, Malformed},
		{"search without search", `<principal-property-search` + ns + `/>`, Malformed},
		{"not XML", `calendar-query`, Malformed},
	} {
		_, err := ParseReport([]byte(c.body), Limits{})
		var e *Error
		if !errors.As(err, &e) || e.Condition != c.condition || e.Sentence == "" {
			t.Errorf("%s: error %v, want condition %s", c.name, err, c.condition)
		}
	}
	long := `<C:calendar-multiget` + ns + `><prop/>` + strings.Repeat(`<href>/a</href>`, 50_000) + `</C:calendar-multiget>`
	if r, err := ParseReport([]byte(long), Limits{}); err != nil || len(r.(*CalendarMultiget).Hrefs) != 50_000 {
		t.Errorf("a multiget of a whole calendar: %v", err)
	}
	many := `<C:calendar-multiget` + ns + `>` + strings.Repeat(`<href>/a</href>`, 11) + `</C:calendar-multiget>`
	if _, err := ParseReport([]byte(many), Limits{Hrefs: 10}); err == nil {
		t.Error("a multiget of more hrefs than allowed is accepted")
	}
}

func TestACLBody(t *testing.T) { // RFC 3744 8.1
	got, err := ParseACL([]byte(`<acl`+ns+`><ace><principal><href>/p/ann/</href></principal><grant><privilege><read/></privilege><privilege><C:read-free-busy/></privilege></grant></ace>
		<ace><invert><principal><property><owner/></property></principal></invert><deny><privilege><all/></privilege></deny><protected/></ace></acl>`), Limits{})
	want := []ACE{
		{Principal: ACEPrincipal{Href: "/p/ann/", Kind: "href"}, Privileges: []Name{D("read"), C("read-free-busy")}},
		{Principal: ACEPrincipal{Kind: "property", Property: D("owner")}, Invert: true, Deny: true, Privileges: []Name{D("all")}, Protected: true},
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(ACE{}, "Line")); err != nil || d != "" {
		t.Errorf("error %v, %s", err, d)
	}
	for _, ace := range []string{`<grant><privilege><read/></privilege></grant>`, `<principal><all/></principal>`, `<principal><all/></principal><grant/>`} {
		if _, err := ParseACL([]byte(`<acl`+ns+`><ace>`+ace+`</ace></acl>`), Limits{}); err == nil {
			t.Errorf("%s is accepted", ace)
		}
	}
}

func FuzzParseReport(f *testing.F) {
	f.Add(`<C:calendar-query` + ns + `><prop><C:calendar-data><C:expand start="20260101T000000Z" end="20260102T000000Z"/></C:calendar-data></prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VTODO"><C:comp-filter name="VALARM"><C:time-range end="20260101T000000Z"/></C:comp-filter></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`)
	f.Add(`<sync-collection` + ns + `><sync-token>x</sync-token><sync-level>1</sync-level><prop/></sync-collection>`)
	f.Add(`<principal-match` + ns + `><self/></principal-match>`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, parse := range []func() error{
			func() error { _, err := ParseReport([]byte(body), Limits{}); return err },
			func() error { _, err := ParsePropFind([]byte(body), Limits{}); return err },
			func() error { _, err := ParsePropPatch([]byte(body), Limits{}); return err },
			func() error { _, err := ParseMkCalendar([]byte(body), Limits{}); return err },
			func() error { _, err := ParseMkCol([]byte(body), Limits{}); return err },
			func() error { _, err := ParseACL([]byte(body), Limits{}); return err },
		} {
			if err := parse(); err != nil {
				var mine *Error
				if !errors.As(err, &mine) || mine.Condition == "" || mine.Sentence == "" {
					t.Fatalf("%q: %#v is not a usable *Error", body, err)
				}
			}
		}
	})
}

package davserver

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEntityTagsOfHeaders(t *testing.T) { // RFC 9110 8.8.3
	for _, c := range []struct {
		in   []string
		want []string
	}{
		{nil, nil},
		{[]string{`"a"`}, []string{`"a"`}},
		{[]string{` "a" , W/"b","c,d" `, `"e"`}, []string{`"a"`, `W/"b"`, `"c,d"`, `"e"`}},
		{[]string{`*`}, []string{`*`}},
		{[]string{`abc`}, []string{`"abc"`}},
		{[]string{`abc, "d"`}, []string{`"abc"`, `"d"`}},
		{[]string{`"open`}, []string{`"open"`}},
		{[]string{``}, nil},
	} {
		if got := etags(http.Header{"If-Match": c.in}, "If-Match"); !slices.Equal(got, c.want) {
			t.Errorf("%q gives %q, want %q", c.in, got, c.want)
		}
	}
}

func TestIfHeader(t *testing.T) { // RFC 4918 10.4
	for in, want := range map[string][]ifList{
		`(["a"])`:                            {{conditions: []ifCondition{{etag: `"a"`}}}},
		`(<urn:x> ["a"])(Not <DAV:no-lock>)`: {{conditions: []ifCondition{{token: "urn:x"}, {etag: `"a"`}}}, {conditions: []ifCondition{{not: true, token: "DAV:no-lock"}}}},
		`</r1> (<urn:x>) ([W/"b"]) <http://h/r2> (NOT ["c"])`: {{"/r1", []ifCondition{{token: "urn:x"}}}, {"/r1", []ifCondition{{etag: `W/"b"`}}}, {"http://h/r2", []ifCondition{{not: true, etag: `"c"`}}}},
	} {
		got, err := parseIf(in)
		if err != nil || !cmp.Equal(got, want, cmp.AllowUnexported(ifList{}, ifCondition{})) {
			t.Errorf("%s gives %v %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "x", "()", "(<urn:x>", "(x)", "</r1>", "(<urn:x>) </r1> (<urn:y>)", "(Not)", "(<>)", "([])", "<", strings.Repeat("(<urn:x>)", 101)} {
		if got, err := parseIf(in); err == nil {
			t.Errorf("%s is read as %v", in, got)
		}
	}
}

func TestPreferences(t *testing.T) { // RFC 7240, RFC 8144
	for in, want := range map[string]preferences{
		"":               {},
		"return=minimal": {minimal: true},
		`respond-async, return="representation"; x=y`: {representation: true},
		"return=minimal, return=representation":       {},
		"depth-noroot, return=minimal":                {minimal: true, noRoot: true},
		"RETURN = Minimal":                            {minimal: true},
	} {
		if got := parsePrefer(http.Header{"Prefer": {in}}); got != want {
			t.Errorf("%q gives %+v, want %+v", in, got, want)
		}
	}
}

func TestHrefsOfOthers(t *testing.T) {
	ours := func(h string) bool { return h == "cal.example.test" }
	for in, want := range map[string]kind{
		"/dav/calendars/ann/default/1.ics":                   object,
		"http://cal.example.test/dav/calendars/ann/inbox/":   inbox,
		"https://cal.example.test/dav/calendars/ann?x#y":     home,
		"/dav/principals/ann@example.test/":                  principal,
		"http://elsewhere.test/dav/":                         nowhere,
		"dav/":                                               nowhere,
		"mailto:ann@example.test":                            nowhere,
		"/other":                                             nowhere,
		"//elsewhere.test/dav/":                              nowhere,
		"/dav/calendars/ann/default/%2e%2e/x":                nowhere,
		"http://cal.example.test:99999999/dav/":              nowhere,
		"/dav/calendars/ann/outbox/x":                        nowhere,
		"/dav/calendars/ann/default/1.ics/deeper/and/deeper": beyond,
	} {
		if p, _ := parseHref(in, ours); p.kind != want {
			t.Errorf("%s is %v, want %v", in, p.kind, want)
		}
	}
}

// Every address that is read is written in one way, which is read the same.
func FuzzPlace(f *testing.F) {
	for _, s := range []string{"/dav/calendars/ann/default/a%20b.ics", "/dav/principals/", "//dav//calendars/%C3%A9/x/", "/", "/dav/calendars/a/b/c/d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePlace(s)
		if err != nil || p.kind&(nowhere|beyond) != 0 {
			return
		}
		again, err := parsePlace(p.href())
		p.slash, again.slash = false, false
		if err != nil || again != p {
			t.Fatalf("%q is %+v, written %q, read %+v %v", s, p, p.href(), again, err)
		}
	})
}

func FuzzHeaders(f *testing.F) {
	f.Add(`<http://h/r> (Not <urn:x> ["a"]) ([W/"b"])`)
	f.Add(`W/"a", "b,c", d, *`)
	f.Add(`return=minimal;x="y", depth-noroot`)
	f.Fuzz(func(t *testing.T, s string) {
		parsePrefer(http.Header{"Prefer": {s}})
		for _, tag := range etags(http.Header{"If-Match": {s}}, "If-Match") {
			if tag != "*" && !strings.HasSuffix(tag, `"`) {
				t.Fatalf("%q holds the entity tag %q", s, tag)
			}
		}
		if lists, err := parseIf(s); err == nil && len(lists) == 0 {
			t.Fatalf("%q holds no list and is no error", s)
		}
	})
}

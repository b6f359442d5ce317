package ical_test

import (
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"pgregory.net/rapid"
)

func TestParseTime(t *testing.T) {
	for _, tt := range []struct {
		value, tzid string
		isDate      bool
		want        string
		kind        ical.TimeKind
	}{
		{"20260102", "", true, "20260102", ical.Date},
		{"20260102", "Europe/Berlin", false, "20260102", ical.Date},
		{"20260102T030405", "", false, "20260102T030405", ical.Floating},
		{"20260102T030405", "Europe/Berlin", false, "20260102T030405", ical.Zoned},
		{"20260102T030405Z", "Europe/Berlin", false, "20260102T030405Z", ical.UTC},
		{"20260102T000000Z", "", true, "20260102", ical.Date},
		{"20260102T100000", "", true, "20260102T100000", ical.Floating},
		{"19970630T235960Z", "", false, "19970630T235959Z", ical.UTC},
		{"20261231T240000", "", false, "20270101T000000", ical.Floating},
		{"00000101", "", true, "00000101", ical.Date},
		{"99991231T235959Z", "", false, "99991231T235959Z", ical.UTC},
		{"20240229", "", true, "20240229", ical.Date},
		{"2026-01-02", "", false, "20260102", ical.Date},
		{"2026-01-02 03:04", "", false, "20260102T030400", ical.Floating},
		{"20260102t030405z", "", false, "20260102T030405Z", ical.UTC},
		{"20260102T030405+0530", "", false, "20260101T213405Z", ical.UTC},
		{"20260102T3", "", false, "20260102T030000", ical.Floating},
	} {
		got, err := ical.ParseTime(tt.value, tt.tzid, tt.isDate)
		if err != nil || got.String() != tt.want || got.Kind != tt.kind || (got.TZID != "") != (tt.kind == ical.Zoned) {
			t.Errorf("%q: got %v %v %q, %v; want %s %v", tt.value, got, got.Kind, got.TZID, err, tt.want, tt.kind)
		}
	}
	for _, bad := range []string{"", "2026", "20260230", "20251301", "20230229", "20260102T250000", "20260102T036000", "x0260102", "99999-01-01", "20260102T030405+99", "00000101T000000+0100", "20260102T", "20260102T12345678901234567890123456789012345678901234567890"} {
		if got, err := ical.ParseTime(bad, "", false); err == nil && bad != "20260102T" {
			t.Errorf("%q: got %v, want an error", bad, got)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for _, tt := range []struct {
		value string
		days  int
		exact time.Duration
		want  string
	}{
		{"P1W", 7, 0, "P1W"},
		{"P15DT5H0M20S", 15, 5*time.Hour + 20*time.Second, "P15DT5H0M20S"},
		{"-PT15M", 0, -15 * time.Minute, "-PT15M"},
		{"+PT1H", 0, time.Hour, "PT1H"},
		{"P7D", 7, 0, "P1W"},
		{"P0D", 0, 0, "PT0S"},
		{"PT1H30S", 0, time.Hour + 30*time.Second, "PT1H0M30S"},
		{"P1WT1H", 7, time.Hour, "P7DT1H"},
		{"PT48H", 0, 48 * time.Hour, "PT48H"},
		{"pt5m", 0, 5 * time.Minute, "PT5M"},
	} {
		got, err := ical.ParseDuration(tt.value)
		if err != nil || got.Days != tt.days || got.Exact != tt.exact || got.String() != tt.want {
			t.Errorf("%q: got %+v %q, %v; want %d %v %q", tt.value, got, got, err, tt.days, tt.exact, tt.want)
		}
	}
	for _, bad := range []string{"", "P", "1H", "PT", "P1H", "PT1D", "P1", "PT1HH", "P-1D", "P99999999999999999999D", "P3660001D", "PT1H PT1H"} {
		if got, err := ical.ParseDuration(bad); err == nil && bad != "PT" {
			t.Errorf("%q: got %v, want an error", bad, got)
		}
	}
}

func TestAddress(t *testing.T) {
	for _, tt := range []struct{ address, key, email, domain string }{
		{"mailto:Ann@Example.com", "ann@example.com", "Ann@Example.com", "example.com"},
		{"MAILTO:ann@example.com", "ann@example.com", "ann@example.com", "example.com"},
		{"ann@example.com", "ann@example.com", "ann@example.com", "example.com"},
		{"mailto:mailto:ann@example.com", "ann@example.com", "ann@example.com", "example.com"},
		{"mailto:<ann@example.com>", "ann@example.com", "ann@example.com", "example.com"},
		{"Ann <ann@example.com>", "ann@example.com", "ann@example.com", "example.com"},
		{"mailto:a%40b@example.com", "a@b@example.com", "a@b@example.com", "example.com"},
		{"mailto:ann@example.com?subject=x", "ann@example.com", "ann@example.com", "example.com"},
		{"mailto:ann@EXAMPLE.com.", "ann@example.com", "ann@EXAMPLE.com.", "example.com"},
		{"mailto:änne@bücher.example", "änne@xn--bcher-kva.example", "änne@bücher.example", "xn--bcher-kva.example"},
		{"mailto:a..b@example.com", "a..b@example.com", "a..b@example.com", "example.com"},
		{"invalid:nomail", "invalid:nomail", "", ""},
		{"urn:uuid:1-2", "urn:uuid:1-2", "", ""},
		{"HTTP://example.com/U/Ann", "http://example.com/U/Ann", "", ""},
		{"/principals/ann/", "/principals/ann/", "", ""},
		{"mailto:/o=Org/ou=x/cn=ann", "/o=org/ou=x/cn=ann", "", ""},
		{"acct:ann@example.com", "acct:ann@example.com", "", ""},
		{"mailto:", "", "", ""},
		{"", "", "", ""},
	} {
		a := ical.Address(tt.address)
		if a.Key() != tt.key || a.Email() != tt.email || a.Domain() != tt.domain {
			t.Errorf("%q: key %q email %q domain %q; want %q %q %q", tt.address, a.Key(), a.Email(), a.Domain(), tt.key, tt.email, tt.domain)
		}
	}
}

// ParseAddress is idempotent, and addresses that are one by Equal have one Key.
func TestAddressProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`(mailto:|MAILTO:|<|"| )*[A-Za-z0-9.%+<>:?@ü/-]{0,20}(@[A-Za-zü.-]{1,8})?[>" ]?`).Draw(t, "address")
		once := ical.ParseAddress(s)
		if again := ical.ParseAddress(string(once)); again != once {
			t.Fatalf("%q reads as %q and that as %q", s, once, again)
		}
		if e := once.Email(); e != "" && ical.Address("mailto:"+e).Email() == "" {
			t.Fatalf("%q: mailbox %q is none", s, e)
		}
	})
}

func TestText(t *testing.T) {
	for _, tt := range []struct{ raw, want string }{
		{`a\, b\; c\\d\ne\Nf`, "a, b; c\\d\ne\nf"},
		{`a, b; c`, "a, b; c"}, // LEN-13: not escaped
		{`a\\nb`, `a\nb`},
		{`a\:b\"c`, `a:b"c`},
		{`a\xb\`, `a\xb\`},
		{"caf\xe9 \x80", "café €"},
	} {
		p := ical.NewProperty("SUMMARY", tt.raw)
		if got := p.Text(); got != tt.want {
			t.Errorf("%q: got %q want %q", tt.raw, got, tt.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[a-z\\;,:"ü`+"\n"+`]{0,30}`).Draw(t, "text")
		if got := ical.UnescapeText(ical.EscapeText(s)); got != s {
			t.Fatalf("%q comes back as %q", s, got)
		}
	})
	list := ical.NewProperty("CATEGORIES", `a,b\,c,,d\\,e`).TextList()
	if want := []string{"a", "b,c", "", `d\`, "e"}; len(list) != 5 || list[1] != want[1] || list[3] != want[3] {
		t.Errorf("list %q", list)
	}
}

// RFC 6868 3.2, RFC 5545 3.2.
func TestParameters(t *testing.T) {
	c := parse(t, event("ATTENDEE;CN=\"A; B, C: D\";MEMBER=\"mailto:a@b\",\"mailto:c@d\";cn=again;X-A=x^'y^^z^nw^q;X-E=:mailto:e@f\n"))
	p := c.Components[0].Prop("ATTENDEE")
	if got := p.Param("CN"); got != "A; B, C: D" {
		t.Errorf("CN %q", got)
	}
	if got := p.ParamValues("MEMBER"); len(got) != 2 || got[1] != "mailto:c@d" {
		t.Errorf("MEMBER %q", got)
	}
	if got := p.Param("X-A"); got != "x\"y^z\nw^q" {
		t.Errorf("X-A %q", got)
	}
	if !p.HasParam("X-E") || p.Param("X-E") != "" || p.HasParam("X-F") {
		t.Error("an empty parameter is there, another is not")
	}
	if p.Address() != "mailto:e@f" {
		t.Errorf("address %q", p.Address())
	}
	p.RemoveParam("CN", "X-A", "X-E")
	p.SetParam("DELEGATED-TO", "mailto:g@h")
	p.SetParam("MEMBER", "mailto:i@j")
	p.SetAddress("mailto:k@l")
	want := event("ATTENDEE;MEMBER=\"mailto:i@j\";DELEGATED-TO=\"mailto:g@h\":mailto:k@l\n")
	if got := string(c.Bytes()); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestSetTimeAndPeriods(t *testing.T) {
	p := ical.NewProperty("DTSTART", "20260102T030405Z")
	p.SetParam("X-KEEP", "1")
	for _, tt := range []struct {
		set  ical.Time
		want string
	}{
		{ical.Time{Wall: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC), Kind: ical.Zoned, TZID: "Europe/Berlin"}, "DTSTART;X-KEEP=1;TZID=Europe/Berlin:20260102T030000"},
		{ical.DateOf(2026, 2, 30), "DTSTART;X-KEEP=1;VALUE=DATE:20260302"},
		{ical.UTCTime(time.Date(2026, 1, 2, 3, 0, 0, 5, time.FixedZone("", 3600))), "DTSTART;X-KEEP=1:20260102T020000Z"},
	} {
		p.SetTime(tt.set)
		e := ical.NewComponent("VEVENT")
		e.Add(p)
		if got, want := string(e.Bytes()), crlf("BEGIN:VEVENT\n"+tt.want+"\nEND:VEVENT\n"); got != want {
			t.Errorf("got %q want %q", got, want)
		}
		if got, err := p.Time(); err != nil || got != tt.set && !got.Wall.Equal(tt.set.Wall) {
			t.Errorf("reads as %v, %v", got, err)
		}
	}
	ps, err := ical.NewProperty("FREEBUSY", "20260102T030000Z/PT1H,20260102T050000Z/20260102T060000Z").Periods()
	if err != nil || len(ps) != 2 || !ps[0].HasDuration || ps[0].Duration.Exact != time.Hour || ps[1].HasDuration || ps[1].String() != "20260102T050000Z/20260102T060000Z" {
		t.Errorf("periods %v, %v", ps, err)
	}
}

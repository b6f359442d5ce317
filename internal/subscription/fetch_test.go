package subscription_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/pg"
	"github.com/convene-cal/convene/internal/harness/servicetest"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/publicnet"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/subscription"
)

func TestMain(m *testing.M) { pg.Main(m) }

// source is an address that changes.
type source struct {
	status int
	body   string
	tag    string
	head   http.Header
	asked  []*http.Request
}

func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r)
	for k, v := range s.head {
		w.Header()[k] = v
	}
	if s.tag != "" {
		w.Header().Set("ETag", s.tag)
		if r.Header.Get("If-None-Match") == s.tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	w.WriteHeader(s.status)
	fmt.Fprint(w, s.body)
}

func feed(events ...string) string {
	b := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//Test//EN\r\nX-WR-CALNAME:Holidays\r\nREFRESH-INTERVAL;VALUE=DURATION:P1D\r\n"
	for _, e := range events {
		uid, summary, _ := strings.Cut(e, " ")
		b += "BEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTAMP:20260301T000000Z\r\nDTSTART;VALUE=DATE:20260401\r\nSUMMARY:" + summary + "\r\nORGANIZER:mailto:x@example.org\r\nATTENDEE:mailto:ann@example.test\r\nEND:VEVENT\r\n"
	}
	return b + "END:VCALENDAR\r\n"
}

// A calendar follows its address: comes, changes, goes; failures wait longer
// and longer and change nothing; on both databases.
func TestFollow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
		services := servicetest.New(s, servicetest.Options{Now: func() time.Time { return now }})
		ann, err := services.Accounts.Add(t.Context(), account.NewAccount{Address: ical.Mailto("ann@example.test"), Password: "correct horse battery"})
		if err != nil {
			t.Fatal(err)
		}
		by := services.Accounts.ActorOf(ann)
		src := &source{status: 200, body: feed("a First", "b Second"), tag: `"1"`, head: http.Header{}}
		web := httptest.NewServer(src)
		defer web.Close()
		f := subscription.New(subscription.Options{Calendar: services.Calendar, AllowPrivate: true, MaxSize: 10_000, Now: func() time.Time { return now }})
		made, err := services.Calendar.Subscribe(t.Context(), calendar.SubscribeRequest{By: by, Owner: ann.ID, Name: "holidays", URL: strings.Replace(web.URL, "http:", "webcal:", 1) + "/h.ics"})
		if err != nil {
			t.Fatal(err)
		}
		due := func(want int) {
			t.Helper()
			if n, err := f.Due(t.Context()); err != nil || n != want {
				t.Fatalf("%d were due, want %d; %v", n, want, err)
			}
		}
		state := func() calendar.SubscriptionView {
			t.Helper()
			list, err := services.Calendar.Subscriptions(t.Context(), by, ann.ID)
			if err != nil || len(list) != 1 {
				t.Fatalf("%d subscriptions, %v", len(list), err)
			}
			return list[0]
		}
		has := func(want ...string) {
			t.Helper()
			var got []string
			err := services.Calendar.List(t.Context(), by, ann.ID, "holidays", func(o store.Object) error {
				got = append(got, o.UID+" "+o.Summary)
				return nil
			})
			if err != nil || strings.Join(got, ",") != strings.Join(want, ",") {
				t.Errorf("holds %q, want %q; %v", got, want, err)
			}
		}
		due(1)
		has("a First", "b Second")
		if v := state(); v.Calendar.DisplayName != "Holidays" || v.Every != 24*time.Hour || !v.Due.Equal(now.Add(24*time.Hour)) || v.Refreshed != now || v.Error != "" {
			t.Errorf("state %+v", v)
		}
		due(0)

		// Nothing new, told by validator.
		now = now.Add(24 * time.Hour)
		due(1)
		if v := state(); v.Refreshed != now {
			t.Errorf("not modified was not noted: %+v", v)
		}
		if r := src.asked[len(src.asked)-1]; r.Header.Get("If-None-Match") != `"1"` {
			t.Error("asked without the validator")
		}
		src.body, src.tag = feed("b Changed", "c Third"), `"2"`
		now = now.Add(24 * time.Hour)
		due(1)
		has("b Changed", "c Third")

		// Nobody changes it here.
		_, err = services.Calendar.Put(t.Context(), calendar.PutRequest{By: by, Ref: calendar.Ref{Owner: ann.ID, Collection: "holidays", Name: "x.ics"}, Data: []byte(feed("x Mine"))})
		if !problem.Has(err, problem.NeedPrivileges) {
			t.Errorf("put into it: %v", err)
		}

		// Whatever goes wrong changes nothing and is told.
		src.tag = ""
		wait := 15 * time.Minute
		for _, bad := range []struct {
			status int
			body   string
			head   http.Header
			says   string
		}{
			{500, "", nil, "500 Internal Server Error"},
			{200, "<html>", nil, "cannot be read"},
			{200, "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", nil, "cannot be read"},
			{200, feed(strings.Repeat("long Long,", 2000)), nil, "more than 10000 octets"},
			{302, "", http.Header{"Location": {"gopher://example.org/"}}, "gopher"},
		} {
			src.status, src.body, src.head = bad.status, bad.body, bad.head
			now = state().Due
			due(1)
			v := state()
			if !strings.Contains(v.Error, bad.says) || v.Due.Sub(now) != wait {
				t.Errorf("after %d %.20s: %q, again in %v, want %q in %v", bad.status, bad.body, v.Error, v.Due.Sub(now), bad.says, wait)
			}
			wait *= 2
			has("b Changed", "c Third")
		}
		src.status, src.head = 503, http.Header{"Retry-After": {"36000"}}
		now = state().Due
		due(1)
		if v := state(); v.Due.Sub(now) != 10*time.Hour {
			t.Errorf("Retry-After: again in %v", v.Due.Sub(now))
		}
		src.status, src.head, src.body = 200, nil, feed("c Third")
		now = state().Due
		due(1)
		has("c Third")
		if v := state(); v.Failures != 0 || v.Error != "" {
			t.Errorf("after all is well again: %+v", v)
		}

		// A service that may not look into private networks says so.
		closed := subscription.New(subscription.Options{Calendar: services.Calendar})
		if err := closed.Fetch(t.Context(), made.Subscription); err != nil {
			t.Fatal(err)
		}
		if v := state(); !strings.Contains(v.Error, "private network") {
			t.Errorf("error is %q", v.Error)
		}
		if err := services.Calendar.DeleteCollection(t.Context(), calendar.DeleteCollectionRequest{By: by, Owner: ann.ID, Collection: "holidays"}); err != nil {
			t.Fatal(err)
		}
		now = now.Add(100 * 24 * time.Hour)
		due(0)
	})
}

func TestPrivateNetworks(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1": true, "10.1.2.3": true, "192.168.1.1": true, "169.254.169.254": true, "100.64.1.1": true, "0.0.0.0": true, "255.255.255.255": true, "224.0.0.1": true,
		"::1": true, "fe80::1": true, "fd00::1": true, "::ffff:10.0.0.1": true, "64:ff9b::a00:1": true, "2002:a00:1::1": true, "::10.0.0.1": true, "::": true,
		"8.8.8.8": false, "2606:4700::1": false, "172.32.0.1": false,
	} {
		if got := !publicnet.Public(netip.MustParseAddr(address).Unmap()); got != want {
			t.Errorf("%s: private %v, want %v", address, got, want)
		}
	}
}

func TestAddresses(t *testing.T) {
	services := servicetest.New(storetest.SQLite(t), servicetest.Options{})
	ann, err := services.Accounts.Add(t.Context(), account.NewAccount{Address: ical.Mailto("ann@example.test"), Password: "correct horse battery"})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "holidays.ics", "file:///etc/passwd", "ftp://example.org/x", "http://", "//example.org/x"} {
		_, err := services.Calendar.Subscribe(t.Context(), calendar.SubscribeRequest{By: services.Accounts.ActorOf(ann), Owner: ann.ID, Name: "x", URL: bad})
		if !problem.Has(err, problem.BadInput) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

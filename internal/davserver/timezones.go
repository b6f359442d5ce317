package davserver

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// The time zone service of RFC 7808 at /timezones: public facts, for anyone.
const (
	zonesPath      = "/timezones"
	zonesWellKnown = "/.well-known/timezone"
)

// maxExpand bounds one answer of expand.
const maxExpand = 200 * 366 * 24 * time.Hour

// timeZones answers below zonesPath; rest is what follows it.
func (q *request) timeZones(rest string) error {
	if done, err := q.onlyRead(); done || err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Cache-Control", "public, max-age=86400")
	segments := strings.Split(strings.Trim(rest, "/"), "/")
	switch {
	case rest == "" || segments[0] == "capabilities" && len(segments) == 1:
		return q.zoneAnswer(zoneCapabilities())
	case segments[0] == "leapseconds" && len(segments) == 1:
		return q.zoneAnswer(leapSeconds())
	case segments[0] != "zones":
		return q.zoneError("invalid-action", "There is no such action of the time zone service.", http.StatusBadRequest)
	case len(segments) == 1:
		return q.listZones()
	}
	// A name has its slashes escaped (RFC 7808 4.1.1); written as they are, they are understood too.
	observances := segments[len(segments)-1] == "observances" && len(segments) > 2
	name := strings.Join(segments[1:], "/")
	if observances {
		name = strings.Join(segments[1:len(segments)-1], "/")
	}
	name, err := url.PathUnescape(name)
	if err != nil {
		return q.zoneError("tzid-not-found", "The name of the time zone cannot be read.", http.StatusNotFound)
	}
	z, err := tz.Load(name)
	if err != nil {
		return q.zoneError("tzid-not-found", "There is no time zone with this name.", http.StatusNotFound)
	}
	from, to, wrong := q.zoneSpan(observances)
	if wrong != "" {
		return q.zoneError("invalid-"+wrong, "The "+wrong+" is a time like 2027-03-01T00:00:00Z, given once; the end follows the start, by "+strconv.Itoa(int(maxExpand.Hours()/24/365))+" years at most.", http.StatusBadRequest)
	}
	if observances {
		return q.expandZone(name, z, from, to)
	}
	if !q.acceptsCalendar() {
		return q.zoneError("invalid-format", "Time zones are sent as text/calendar.", http.StatusNotAcceptable)
	}
	return q.getZone(name, z, from, to)
}

// acceptsCalendar reports whether the client takes text/calendar (RFC 7808 5.3).
func (q *request) acceptsCalendar() bool {
	values := q.r.Header.Values("Accept")
	if len(values) == 0 {
		return true
	}
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		t, params, err := mime.ParseMediaType(part)
		weight, bad := strconv.ParseFloat(params["q"], 64)
		if err == nil && (t == "text/calendar" || t == "text/*" || t == "*/*") && (bad != nil || weight > 0) {
			return true
		}
	}
	return false
}

// zoneAnswer is JSON (RFC 7808 6).
func (q *request) zoneAnswer(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	return q.zoneBody("application/json; charset=utf-8", hex.EncodeToString(sum[:8]), body)
}

func (q *request) zoneBody(contentType, tag string, body []byte) error {
	etag := `"` + tag + `"`
	h := q.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("ETag", etag)
	if done, err := q.conditional(etag, time.Time{}); done || err != nil {
		return err
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if q.r.Method == http.MethodHead {
		return nil
	}
	_, err := timed{q}.Write(body)
	return ignoreGone(err)
}

// zoneError is a problem document (RFC 7808 5, RFC 7807).
func (q *request) zoneError(kind, sentence string, status int) error {
	body, err := json.Marshal(map[string]any{"type": "urn:ietf:params:tzdist:error:" + kind, "title": sentence, "status": status})
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	q.w.WriteHeader(status)
	_, err = q.w.Write(body)
	return ignoreGone(err)
}

func zoneCapabilities() any {
	type parameter struct {
		Name     string   `json:"name"`
		Required bool     `json:"required"`
		Multi    bool     `json:"multi"`
		Values   []string `json:"values,omitempty"`
	}
	type action struct {
		Name       string      `json:"name"`
		Template   string      `json:"uri-template"`
		Parameters []parameter `json:"parameters"`
	}
	return map[string]any{
		"version": 1,
		"info": map[string]any{
			"primary-source": "IANA:" + tz.Version(),
			"formats":        []string{"text/calendar"},
			"truncated":      map[string]any{"any": true, "untruncated": true},
		},
		"actions": []action{
			{"capabilities", zonesPath + "/capabilities", []parameter{}},
			{"list", zonesPath + "/zones{?changedsince}", []parameter{{Name: "changedsince"}}},
			{"get", zonesPath + "/zones{/tzid}{?start,end}", []parameter{{Name: "start"}, {Name: "end"}}},
			{"expand", zonesPath + "/zones{/tzid}/observances{?start,end}", []parameter{{Name: "start", Required: true}, {Name: "end", Required: true}}},
			{"find", zonesPath + "/zones{?pattern}", []parameter{{Name: "pattern", Required: true}}},
			{"leapseconds", zonesPath + "/leapseconds", []parameter{}},
		},
	}
}

// listZones is list and find (RFC 7808 5.2, 5.5).
func (q *request) listZones() error {
	query := q.r.URL.Query()
	if query.Has("changedsince") && query.Has("pattern") || len(query["changedsince"]) > 1 || len(query["pattern"]) > 1 {
		return q.zoneError("invalid-changedsince", "Ask for what has changed or for a name, once.", http.StatusBadRequest)
	}
	match := func(string) bool { return true }
	if query.Has("pattern") {
		var ok bool
		if match, ok = zonePattern(query.Get("pattern")); !ok {
			return q.zoneError("invalid-pattern", "A pattern holds something beside asterisks.", http.StatusBadRequest)
		}
	}
	type zone struct {
		TZID      string    `json:"tzid"`
		ETag      string    `json:"etag"`
		Modified  time.Time `json:"last-modified"`
		Publisher string    `json:"publisher"`
		Version   string    `json:"version"`
	}
	list := []zone{}
	if query.Get("changedsince") != tz.Version() { // the data change as a whole; any other token is as none (RFC 7808 5.2)
		for _, name := range tz.Names() {
			if match(name) {
				list = append(list, zone{name, zoneTag(name), tz.Released().UTC().Truncate(time.Second), "IANA", tz.Version()})
			}
		}
	}
	return q.zoneAnswer(map[string]any{"synctoken": tz.Version(), "timezones": list})
}

// zoneTag is the entity tag of a whole time zone: the data change together.
func zoneTag(name string) string { return tz.Version() + "-" + name }

// zonePattern reads a pattern of find: asterisks at its ends stand for
// anything; blanks and underscores are one (RFC 7808 5.5).
func zonePattern(p string) (func(string) bool, bool) {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", " ")) }
	start, end := strings.HasPrefix(p, "*"), strings.HasSuffix(p, "*")
	want := plain(strings.Trim(p, "*"))
	if want == "" || strings.Contains(want, "*") {
		return nil, false
	}
	return func(name string) bool {
		name = plain(name)
		switch {
		case start && end:
			return strings.Contains(name, want)
		case start:
			return strings.HasSuffix(name, want)
		case end:
			return strings.HasPrefix(name, want)
		}
		return name == want
	}, true
}

// zoneSpan reads start and end, and says which of them is wrong.
func (q *request) zoneSpan(required bool) (from, to time.Time, wrong string) {
	query := q.r.URL.Query()
	for _, p := range []struct {
		name string
		to   *time.Time
	}{{"start", &from}, {"end", &to}} {
		if !query.Has(p.name) && !required {
			continue
		}
		t, err := time.Parse(time.RFC3339, query.Get(p.name))
		if err != nil || len(query[p.name]) > 1 {
			return from, to, p.name
		}
		*p.to = t.UTC()
	}
	if !from.IsZero() && !to.IsZero() && !to.After(from) || required && to.Sub(from) > maxExpand {
		return from, to, "end"
	}
	return from, to, ""
}

func (q *request) getZone(name string, z *tz.Zone, from, to time.Time) error {
	cal := ical.New(q.s.calendar.ProdID())
	cal.Components = append(cal.Components, z.Component(name, from, to))
	q.w.Header().Set("Last-Modified", tz.Released().UTC().Format(http.TimeFormat))
	tag := zoneTag(name)
	for _, t := range []time.Time{from, to} {
		if !t.IsZero() {
			tag += "-" + t.Format("20060102T150405Z")
		}
	}
	if to.IsZero() && !from.IsZero() {
		tag += "-" // a start alone is no end alone
	}
	return q.zoneBody(calendarType, tag, cal.Bytes())
}

// expandZone is expand (RFC 7808 5.4): the offset at the start, and each change of it.
func (q *request) expandZone(name string, z *tz.Zone, from, to time.Time) error {
	type observance struct {
		Name  string    `json:"name"`
		Onset time.Time `json:"onset"`
		From  int       `json:"utc-offset-from"`
		To    int       `json:"utc-offset-to"`
	}
	offset := func(t time.Time) int { _, o := z.Wall(t); return o }
	list := []observance{{z.Abbreviation(from), from, offset(from), offset(from)}}
	const step = 7 * 24 * time.Hour // no zone changes its clocks twice in so short a time and back
	for at := from; at.Before(to); {
		next := at.Add(step)
		if next.After(to) {
			next = to
		}
		if was := offset(at); offset(next) != was {
			low, high := at, next
			for high.Sub(low) > time.Second {
				if middle := low.Add(high.Sub(low) / 2).Truncate(time.Second); offset(middle) == was && middle.After(low) {
					low = middle
				} else if middle.After(low) {
					high = middle
				} else {
					break
				}
			}
			if high.Before(to) {
				list = append(list, observance{z.Abbreviation(high), high, was, offset(high)})
			}
			at = high
			continue
		}
		at = next
	}
	return q.zoneAnswer(map[string]any{"dtstamp": tz.Released().UTC().Truncate(time.Second), "tzid": name, "start": from, "end": to, "observances": list})
}

// leapOnsets are the days at whose beginning a leap second had been added,
// since TAI was 10 seconds ahead in 1972 (IERS Bulletin C).
var leapOnsets = []string{"1972-01-01", "1972-07-01", "1973-01-01", "1974-01-01", "1975-01-01", "1976-01-01", "1977-01-01", "1978-01-01", "1979-01-01",
	"1980-01-01", "1981-07-01", "1982-07-01", "1983-07-01", "1985-07-01", "1988-01-01", "1990-01-01", "1991-01-01", "1992-07-01", "1993-07-01", "1994-07-01",
	"1996-01-01", "1997-07-01", "1999-01-01", "2006-01-01", "2009-01-01", "2012-07-01", "2015-07-01", "2017-01-01"}

func leapSeconds() any { // RFC 7808 5.6
	type leap struct {
		Offset int    `json:"utc-offset"`
		Onset  string `json:"onset"`
	}
	var list []leap
	for i, day := range leapOnsets {
		list = append(list, leap{10 + i, day})
	}
	return map[string]any{"expires": tz.Released().UTC().AddDate(1, 0, 0).Format(time.DateOnly), "publisher": "IERS", "version": tz.Version(), "leapseconds": list}
}

// zonesByReference tells whether the client wants no VTIMEZONE for zones that
// everyone knows (RFC 7809 3.1.3: CalDAV-Timezones: F).
func (q *request) zonesByReference() bool {
	return strings.EqualFold(strings.TrimSpace(q.r.Header.Get("CalDAV-Timezones")), "F")
}

// withoutZones leaves out the VTIMEZONEs of zones in the service above.
func withoutZones(body []byte) []byte {
	if !strings.Contains(string(body), "VTIMEZONE") {
		return body
	}
	cal, err := ical.Parse(body)
	if err != nil {
		return body
	}
	n := len(cal.Components)
	cal.Components = slices.DeleteFunc(slices.Clone(cal.Components), func(c *ical.Component) bool {
		if c.Name != "VTIMEZONE" {
			return false
		}
		z, err := tz.Load(c.Text("TZID"))
		return err == nil && z.Name() == c.Text("TZID") && z.IANA()
	})
	if len(cal.Components) == n {
		return body
	}
	return cal.Bytes()
}

package main

import (
	"fmt"
	"strings"
)

// syncReport asks what changed since a token; a small answer is kept.
func syncReport(c *client, path, token string) (next string, entries int, err error) {
	text, err := c.text(syncAsked(path, token))
	if err != nil {
		return "", 0, err
	}
	s := string(text)
	i := strings.LastIndex(s, "sync-token>")
	if i < 0 {
		return "", 0, fmt.Errorf("no sync-token in the answer: %.300s", s)
	}
	s = s[:strings.LastIndex(s[:i], "</")]
	return s[strings.LastIndex(s, ">")+1:], strings.Count(string(text), "href>") / 2, nil
}

func syncAsked(path, token string) asked {
	return asked{method: "REPORT", path: path, depth: "0", mediaType: "application/xml",
		body: []byte(`<sync-collection xmlns="DAV:"><sync-token>` + token + `</sync-token><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>`)}
}

// oneChange measures a sync after each of some changes.
func (b *bench) oneChange(user, path string, first int) (*sample, error) {
	c := newClient(b.server, user)
	defer c.close()
	token, _, err := syncReport(c, path, "")
	if err != nil {
		return nil, err
	}
	change := func(i int) error {
		// The same few names again and again: the calendar keeps its size.
		return c.drop(asked{method: "PUT", path: fmt.Sprintf("%schanged%d.ics", path, i%10), mediaType: calendarType,
			body: []byte(strings.Replace(string(eventText(first+i%10, false)), "SUMMARY:", fmt.Sprintf("SUMMARY:%d ", i), 1))})
	}
	if err := change(0); err != nil {
		return nil, err
	}
	return b.times(b.server, 100, func(i int) (func() error, error) {
		next, n, err := syncReport(c, path, token)
		if err == nil && n != 1 {
			err = fmt.Errorf("a sync after one change tells %d", n)
		}
		token = next
		return func() error { return change(i + 1) }, err
	})
}

// whole measures something that tells all members of a calendar.
func (b *bench) whole(a asked, times, members int) (*sample, error) {
	c := newClient(b.server, "anna")
	defer c.close()
	return b.times(b.server, times, func(int) (func() error, error) {
		n, err := c.count(a)
		if err == nil && n < members {
			err = fmt.Errorf("%s of %s tells %d of %d members", a.method, a.path, n, members)
		}
		return nil, err
	})
}

func syncAfterOneChange(b *bench) ([]figure, error) {
	var out []figure
	for _, size := range []int{1_000, 10_000, 50_000} {
		path, err := b.sized(size)
		if err != nil {
			return out, err
		}
		one, err := b.oneChange("anna", path, 2*firstPut+size*10)
		if err != nil {
			return out, err
		}
		f := figure{what: fmt.Sprintf("sync-collection after one change, %d events", size), value: one.middle(), unit: "ms", sample: one, goal: atMost(one.middle(), 0.7, "ms")}
		if len(out) > 0 {
			f.beside = fmt.Sprintf("%.2f × that of 1000", one.middle()/out[0].value)
		}
		out = append(out, f)
		for _, w := range []struct {
			what string
			a    asked
		}{
			{"initial sync-collection", syncAsked(path, "")},
			{"PROPFIND with depth 1 for the etag", asked{method: "PROPFIND", path: path, depth: "1", mediaType: "application/xml", body: []byte(`<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>`)}},
		} {
			s, err := b.whole(w.a, 5, size)
			if err != nil {
				return out, err
			}
			f := figure{what: fmt.Sprintf("%s, %d events", w.what, size), value: s.middle(), unit: "ms", sample: s}
			if size == 50_000 {
				f.goal = atMost(s.middle(), 100, "ms")
			}
			out = append(out, f)
		}
	}
	return out, nil
}

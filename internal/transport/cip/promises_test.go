package cip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/transport/transporttest"
)

func TestKeepsThePromisesOfATransport(t *testing.T) { transporttest.Run(t, rig) }

func rig(t *testing.T) transporttest.Rig {
	var broken atomic.Bool
	b := start(t, "b.test", []string{"ben"}, nil)
	a := start(t, "a.test", []string{"ann"}, func(o *Options) {
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if broken.Load() {
				return nil, errors.New("no route")
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
	})
	join(a, b, cip.VCal10)
	n := 0
	entry := func(t *testing.T, to string) *store.Entry {
		t.Helper()
		n++
		uid := fmt.Sprintf("%d@a.test", n)
		text := strings.Replace(meetingText(uid, "ann@a.test", "SUMMARY:x\n", to), "VERSION:2.0", "VERSION:2.0\nMETHOD:REQUEST", 1)
		e := &store.Entry{Account: a.people["ann"].ID, Method: "REQUEST", UID: uid, From: "mailto:ann@a.test", To: "mailto:" + to, Calendar: []byte(strings.ReplaceAll(text, "\n", "\r\n"))}
		if err := a.Store.Update(t.Context(), func(tx *store.Tx) error { return a.Journal.Add(tx, e) }); err != nil {
			t.Fatal(err)
		}
		return e
	}
	return transporttest.Rig{
		Transport: a.cip, Accepted: "mailto:Ben@b.test", Foreign: "mailto:bea@a.test",
		Entry: func(t *testing.T) *store.Entry { return entry(t, "ben@b.test") },
		Reload: func(t *testing.T, e *store.Entry) *store.Entry {
			got, err := a.Journal.Show(t.Context(), e.Account, e.ID)
			if err != nil {
				t.Fatal(err)
			}
			return &got
		},
		Arrived: func(t *testing.T) []string {
			var out []string
			for _, coll := range []string{"inbox", "default"} {
				var list []store.Object
				if err := b.Calendar.List(t.Context(), b.actor("ben"), b.people["ben"].ID, coll, func(o store.Object) error { list = append(list, o); return nil }); err != nil {
					t.Fatal(err)
				}
				slices.SortFunc(list, func(x, y store.Object) int { return int(x.ID - y.ID) })
				uids := []string{}
				for _, o := range list {
					uids = append(uids, o.UID)
				}
				if coll == "default" && !slices.Equal(uids, out) {
					t.Errorf("inbox %q, calendar %q", out, uids)
				}
				out = uids
			}
			return out
		},
		Break:    func(*testing.T) { broken.Store(true); a.cip.pool.close() },
		Mend:     func(*testing.T) { broken.Store(false) },
		Hopeless: func(t *testing.T) *store.Entry { return entry(t, "ghost@b.test") },
	}
}

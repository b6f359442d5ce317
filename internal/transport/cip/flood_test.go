package cip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/convene-cal/convene/cip"
)

// Floods are turned away or slowed down, and the next client is served.
func TestFlood(t *testing.T) {
	b := start(t, "b.test", []string{"ben"}, func(o *Options) { o.MaxConnections = 20 })
	var open []net.Conn
	refused := 0
	for range 60 {
		conn, err := net.Dial("tcp", b.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(time.Minute))
		if _, err := cip.NewClient(conn); errors.Is(err, cip.ErrUnavailable) {
			refused++
		} else if err != nil {
			t.Fatal(err)
		} else {
			open = append(open, conn)
		}
	}
	if len(open) != 20 || refused != 40 {
		t.Errorf("%d connections served, %d turned away", len(open), refused)
	}
	for _, c := range open {
		c.Close()
	}
	eventually(t, "somebody is served again", func() (bool, string) {
		conn, err := net.Dial("tcp", b.address)
		if err != nil {
			return false, err.Error()
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(time.Minute))
		_, err = cip.NewClient(conn)
		return err == nil, fmt.Sprint(err)
	})
	g := guard{now: func() time.Time { return time.Unix(1000, 0) }}
	key := sourceOf(&net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 5})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range anonymousBurst + int(maxWait.Seconds())*anonymousPerSec {
		g.slow(ctx, key)
	}
	if g.slow(context.Background(), key) {
		t.Error("an endless queue of anonymous commands")
	}
	if !bytes.Contains([]byte(sourceOf(&net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 5}).String()), []byte("/64")) {
		t.Error("an IPv6 host is one address")
	}
}

package web

import (
	"fmt"
	"net/http"
	"time"
)

// heartbeat keeps proxies from ending a quiet stream, and notices browsers
// that have gone.
const heartbeat = 25 * time.Second

// changes is the stream of server-sent events that tells a browser to look
// again. It says only that something changed, so nothing is lost when signals
// are merged or the stream begins anew.
func (a *app) changes(w http.ResponseWriter, r *http.Request) {
	who, err := a.session(r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	changed := a.o.Calendar.Watch(r.Context(), who.Account)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would keep the events to itself
	out := http.NewResponseController(w)
	send := func(text string) bool {
		_ = out.SetWriteDeadline(time.Now().Add(heartbeat)) // a recorder in a test has none
		if _, err := fmt.Fprint(w, text); err != nil {
			return false
		}
		return out.Flush() == nil
	}
	if !send("retry: 3000\n\n") {
		return
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		ok := true
		select {
		case _, open := <-changed:
			if !open {
				return
			}
			ok = send("event: change\ndata: {}\n\n")
		case <-beat.C:
			// The session may have ended meanwhile, here or elsewhere.
			if _, err := a.session(r); err != nil {
				return
			}
			ok = send(": still here\n\n")
		case <-a.o.Done:
			return
		case <-r.Context().Done():
			return
		}
		if !ok {
			return
		}
	}
}

package davserver

import (
	"net/http"
	"slices"
	"strings"

	"github.com/convene-cal/convene/internal/problem"
)

// preferences of a request (RFC 7240, RFC 8144).
type preferences struct {
	minimal        bool // return=minimal, or Brief: t
	representation bool // return=representation
	noRoot         bool // depth-noroot, or Depth: 1,noroot
}

func parsePrefer(h http.Header) preferences {
	var p preferences
	for _, line := range h.Values("Prefer") {
		for token := range strings.SplitSeq(line, ",") {
			token, _, _ = strings.Cut(token, ";")
			name, value, _ := strings.Cut(strings.TrimSpace(token), "=")
			value = strings.Trim(strings.TrimSpace(value), `"`)
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "return", "return-minimal": // the latter from the drafts, still sent
				p.minimal = p.minimal || strings.EqualFold(value, "minimal") || strings.EqualFold(name, "return-minimal")
				p.representation = p.representation || strings.EqualFold(value, "representation")
			case "depth-noroot":
				p.noRoot = true
			}
		}
	}
	if strings.EqualFold(strings.TrimSpace(h.Get("Brief")), "t") {
		p.minimal = true
	}
	if p.minimal && p.representation { // RFC 7240 2: contradictory ones count as none
		p.minimal, p.representation = false, false
	}
	return p
}

// applied tells the client which of its preferences were honoured.
func (q *request) applied(names ...string) {
	for _, n := range names {
		q.w.Header().Add("Preference-Applied", n)
	}
	if !slices.Contains(q.w.Header().Values("Vary"), "Prefer, Brief") {
		q.w.Header().Add("Vary", "Prefer, Brief")
	}
}

// depth of a request.
type depth int

const (
	depth0 depth = iota
	depth1
	depthInfinity
)

// depth reads the Depth header; missing is what its method says.
func (q *request) depth(missing depth) (depth, error) {
	v := strings.ToLower(strings.TrimSpace(q.r.Header.Get("Depth")))
	v, noroot, _ := strings.Cut(v, ",")
	if strings.TrimSpace(noroot) == "noroot" {
		q.prefer.noRoot = true
	}
	switch strings.TrimSpace(v) {
	case "":
		return missing, nil
	case "0":
		return depth0, nil
	case "1":
		return depth1, nil
	case "infinity":
		return depthInfinity, nil
	}
	return 0, problem.New(problem.BadInput, "Depth is %q; it must be 0, 1 or infinity.", v)
}

package davserver

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
)

// etags reads If-Match and If-None-Match: entity tags with their quotes and
// W/, or "*" (RFC 9110 13.1). A tag without quotes, which some clients send, is
// taken as if it had them.
func etags(h http.Header, name string) []string {
	var out []string
	if name == "If-Match" && len(h.Values(name)) > 0 {
		out = []string{} // a list of none, of which none matches (RFC 9110 13.1.1)
	}
	for _, line := range h.Values(name) {
		for line = strings.TrimSpace(line); line != ""; line = strings.TrimLeft(line, ", \t") {
			i := strings.IndexByte(line, '"')
			if comma := strings.IndexByte(line, ','); i < 0 || comma >= 0 && comma < i {
				token := line
				if comma >= 0 {
					token = line[:comma]
				}
				line = line[len(token):]
				if token = strings.TrimSpace(token); token == "*" {
					out = append(out, token)
				} else {
					out = append(out, `"`+token+`"`)
				}
				continue
			}
			end := strings.IndexByte(line[i+1:], '"')
			if end < 0 {
				end = len(line) - i - 1
			}
			out = append(out, strings.TrimSpace(line[:i+1+end])+`"`)
			line = line[min(i+end+2, len(line)):]
		}
	}
	return out
}

// precondition of a request that changes an object.
func (q *request) precondition() calendar.Precondition {
	h := q.r.Header
	since, _ := http.ParseTime(h.Get("If-Unmodified-Since")) // one that cannot be read does not count (RFC 9110 13.1.4)
	return calendar.Precondition{
		IfUnmodifiedSince:  since,
		IfMatch:            plainTags(etags(h, "If-Match")),
		IfNoneMatch:        plainTags(etags(h, "If-None-Match")),
		IfScheduleTagMatch: strings.TrimSpace(h.Get("If-Schedule-Tag-Match")),
	}
}

// conditions is the precondition of the request with what its If header demands
// of the resource, unless If-Match says so already.
func (q *request) conditions() (calendar.Precondition, error) {
	cond := q.precondition()
	tag, err := q.checkIf()
	if tag != "" && cond.IfMatch == nil {
		cond.IfMatch = []string{tag}
	}
	return cond, err
}

// ifList is one list of an If header: conditions that must all hold, about the
// tagged resource or else the one of the request (RFC 4918 10.4.2).
type ifList struct {
	resource   string // URI as written, "" when untagged
	conditions []ifCondition
}

type ifCondition struct {
	not   bool
	token string // state token, or
	etag  string // entity tag with its quotes
}

// maxIfConditions of one header; each may need a look-up.
const maxIfConditions = 100

// parseIf reads an If header. Its lists are alternatives.
func parseIf(s string) ([]ifList, error) {
	bad := func(why string) ([]ifList, error) {
		return nil, problem.New(problem.BadInput, "The If header cannot be read: %s.", why)
	}
	var lists []ifList
	resource, total := "", 0
	tagged := false
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if s[0] == '<' {
			end := strings.IndexByte(s, '>')
			if end < 0 || len(lists) > 0 && !tagged {
				return bad("a resource tag is out of place")
			}
			resource, s, tagged = s[1:end], s[end+1:], true
			if s = strings.TrimSpace(s); s == "" || s[0] != '(' {
				return bad("a resource tag has no list")
			}
			continue
		}
		if s[0] != '(' {
			return bad("a list must begin with a parenthesis")
		}
		s = s[1:]
		l := ifList{resource: resource}
		for {
			s = strings.TrimSpace(s)
			if s == "" {
				return bad("a list does not end")
			}
			if s[0] == ')' {
				s = s[1:]
				break
			}
			var c ifCondition
			if len(s) >= 3 && strings.EqualFold(s[:3], "not") {
				c.not = true
				s = strings.TrimSpace(s[3:])
			}
			open, shut := byte('<'), byte('>')
			if s != "" && s[0] == '[' {
				open, shut = '[', ']'
			}
			end := strings.IndexByte(s, shut)
			if s == "" || s[0] != open || end < 2 {
				return bad("a condition is neither a <token> nor an [entity tag]")
			}
			if open == '[' {
				c.etag = strings.TrimSpace(s[1:end])
			} else {
				c.token = s[1:end]
			}
			s = s[end+1:]
			l.conditions = append(l.conditions, c)
			if total++; total > maxIfConditions {
				return bad("it has too many conditions")
			}
		}
		if len(l.conditions) == 0 {
			return bad("a list is empty")
		}
		lists = append(lists, l)
	}
	if len(lists) == 0 {
		return bad("it is empty")
	}
	return lists, nil
}

// checkIf evaluates the If header, if there is one, with entity tags and the
// state tokens of locks and of synchronisation (RFC 4918 10.4.4, RFC 6578 5). When it holds because of the entity tag of the
// resource of the request, that tag is returned: the door then checks it once
// more within its transaction.
func (q *request) checkIf() (etag string, err error) {
	header := strings.Join(q.r.Header.Values("If"), " ")
	if header == "" {
		return "", nil
	}
	lists, err := parseIf(header)
	if err != nil {
		return "", err
	}
	for _, l := range lists {
		at := q.at
		if l.resource != "" {
			if u, err := url.Parse(l.resource); err != nil || u.Path == "" {
				continue
			}
			if at, err = parseHref(l.resource, q.sameHost); err != nil {
				continue
			}
		}
		current, tokens, err := q.state(at)
		if err != nil {
			return "", err
		}
		matched := ""
		if !slices.ContainsFunc(l.conditions, func(c ifCondition) bool {
			holds := c.etag != "" && c.etag == current || c.token != "" && slices.Contains(tokens, c.token)
			if holds && !c.not && c.etag != "" && at == q.at {
				matched = c.etag
			}
			return holds == c.not
		}) {
			return matched, nil
		}
	}
	return "", problem.New(problem.PreconditionFailed, "The resource is not in the state that the If header asks for. Fetch it and try again.")
}

// state is what an If header can ask about a place: its entity tag, its sync
// token and the tokens of the locks on it, whether anything is there or not.
func (q *request) state(at place) (etag string, tokens []string, err error) {
	held, err := q.locks(at)
	if err != nil {
		return "", nil, err
	}
	_, path, err := q.lockedAt(at)
	if err != nil {
		path = at.lockPath()
	}
	for _, l := range held {
		if calendar.Covers(l, path) {
			tokens = append(tokens, l.Token)
		}
	}
	r, err := q.findAny(at)
	if problem.Has(err, problem.NotFound) || problem.Has(err, problem.NeedPrivileges) {
		return "", tokens, nil
	}
	if err != nil {
		return "", nil, err
	}
	switch {
	case r.kind == plain:
		return r.file.ETag, tokens, nil
	case r.kind&objects != 0:
		return r.obj.ETag, tokens, nil
	case r.kind&(calendarColl|inbox) != 0:
		return "", append(tokens, r.syncToken(r.coll.Seq)), nil
	}
	return "", tokens, nil
}

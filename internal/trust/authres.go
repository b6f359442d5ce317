package trust

import (
	"slices"
	"strings"
)

// Result is one method's result in an Authentication-Results field (RFC 8601 2.2).
type Result struct {
	Method     string            `json:"method"` // "dkim", "spf", "dmarc", "arc" …, lower case
	Value      string            `json:"result"` // "pass", "fail" …, lower case
	Reason     string            `json:"reason,omitempty"`
	Properties map[string]string `json:"properties,omitempty"` // "header.from": "example.com"; keys in lower case
}

// ParseAuthenticationResults reads one field's value. ok is false where it is
// not in the form of RFC 8601 2.2; then nothing in it counts. "none" gives no
// results.
func ParseAuthenticationResults(value string) (authservID string, results []Result, ok bool) {
	fields, ok := splitOutside(value)
	if !ok || len(fields) == 0 || len(fields[0]) == 0 {
		return "", nil, false
	}
	// authserv-id [CFWS version]
	if len(fields[0]) > 2 || len(fields[0]) == 2 && strings.Trim(fields[0][1], "0123456789") != "" {
		return "", nil, false
	}
	authservID = strings.ToLower(fields[0][0])
	if strings.Contains(authservID, "=") {
		return "", nil, false
	}
	for _, words := range fields[1:] {
		if len(words) == 0 || len(words) == 1 && strings.EqualFold(words[0], "none") {
			continue
		}
		if r, ok := readResult(words); ok {
			results = append(results, r)
		}
	}
	return authservID, results, true
}

func readResult(words []string) (Result, bool) {
	method, value, ok := strings.Cut(words[0], "=")
	method, _, _ = strings.Cut(method, "/") // dkim/1
	if !ok || method == "" || value == "" {
		return Result{}, false
	}
	r := Result{Method: strings.ToLower(method), Value: strings.ToLower(value), Properties: map[string]string{}}
	for _, w := range words[1:] {
		key, value, ok := strings.Cut(w, "=")
		key = strings.ToLower(key)
		switch _, known := r.Properties[key]; {
		case !ok:
		case key == "reason":
			r.Reason = value
		case known: // said twice: then it says nothing
			r.Properties[key] = ""
		default:
			r.Properties[key] = value
		}
	}
	return r, true
}

// splitOutside cuts a structured field at semicolons into words at blanks, both
// outside quoted strings; comments are dropped, quotes removed, and blanks
// around "=" closed up. ok is false for an unclosed quote or comment: what
// follows it could be read in two ways.
func splitOutside(s string) (fields [][]string, ok bool) {
	var words []string
	var word strings.Builder
	started := false
	end := func() {
		if started {
			words = append(words, word.String())
		}
		word.Reset()
		started = false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '(':
			depth := 1
			for i++; i < len(s) && depth > 0; i++ {
				switch s[i] {
				case '\\':
					i++
				case '(':
					depth++
				case ')':
					depth--
				}
			}
			if depth > 0 {
				return nil, false
			}
			i--
			end()
		case '"':
			started = true
			closed := false
			for i++; i < len(s); i++ {
				if s[i] == '\\' && i+1 < len(s) {
					i++
				} else if s[i] == '"' {
					closed = true
					break
				}
				word.WriteByte(s[i])
			}
			if !closed {
				return nil, false
			}
		case ' ', '\t', '\r', '\n':
			end()
		case ';':
			end()
			fields, words = append(fields, words), nil
		default:
			started = true
			word.WriteByte(c)
		}
	}
	end()
	fields = append(fields, words)
	for i, words := range fields {
		fields[i] = closeUp(words)
	}
	return fields, true
}

// closeUp joins "dkim", "=", "pass" to "dkim=pass".
func closeUp(words []string) []string {
	var out []string
	for i := 0; i < len(words); i++ {
		w := words[i]
		for i+1 < len(words) && (strings.HasSuffix(w, "=") || strings.HasPrefix(words[i+1], "=")) {
			i++
			w += words[i]
		}
		out = append(out, w)
	}
	return out
}

// trustedResults reads the fields of a mail, topmost first, and keeps what was
// written under a configured authserv-id. ignored lists the other ids.
func trustedResults(values, authservIDs []string) (results []Result, by string, ignored []string) {
	for _, v := range values {
		id, rs, ok := ParseAuthenticationResults(v)
		if !ok {
			ignored = append(ignored, "(unreadable)")
			continue
		}
		if !slices.ContainsFunc(authservIDs, func(t string) bool { return strings.EqualFold(t, id) }) {
			ignored = append(ignored, id)
			continue
		}
		if by == "" {
			by = id
		}
		results = append(results, rs...)
	}
	return results, by, ignored
}

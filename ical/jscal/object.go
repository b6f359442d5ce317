package jscal

import (
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// object is a JSON object; its members are what package json makes of them,
// numbers as json.Number.
type object = map[string]any

// clone copies a value, objects and arrays included.
func clone(v any) any {
	switch v := v.(type) {
	case object:
		c := make(object, len(v))
		for k, m := range v {
			c[k] = clone(m)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i := range v {
			c[i] = clone(v[i])
		}
		return c
	}
	return v
}

// equal compares values as JSON does.
func equal(a, b any) bool {
	switch a := a.(type) {
	case object:
		b, ok := b.(object)
		return ok && maps.EqualFunc(a, b, equal)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case json.Number, int:
		switch b.(type) {
		case json.Number, int:
			return fmt.Sprint(a) == fmt.Sprint(b)
		}
		return false
	}
	switch b.(type) {
	case object, []any, json.Number, int:
		return false
	}
	return a == b // texts, truth values, null
}

// names are the members of an object in order.
func names(o object) []string { return slices.Sorted(maps.Keys(o)) }

// namespace is what the ids of the conversion are made in
// (draft-ietf-calext-jscalendar-icalendar 2.1.3).
var namespace = []byte{0x7f, 0x1e, 0x19, 0x65, 0xae, 0x73, 0x44, 0x54, 0xb0, 0x88, 0x23, 0x2c, 0x90, 0x73, 0x0c, 0xe2}

// idOf makes an id of a value: a UUID of version 5 (RFC 9562 5.5).
func idOf(value string) string {
	h := newID()
	io.WriteString(h, value)
	return idFrom(h)
}

func newID() hash.Hash {
	h := sha1.New()
	h.Write(namespace)
	return h
}

// idFrom is idOf what was written to newID.
func idFrom(h hash.Hash) string {
	u := h.Sum(nil)[:16]
	u[6], u[8] = u[6]&0x0f|0x50, u[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// isID tells an Id (RFC 8984 1.4.1).
func isID(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != "" && len(s) <= 255
}

// set is a JSON set: an object whose members are true.
func set(list ...string) object {
	o := object{}
	for _, s := range list {
		o[s] = true
	}
	return o
}

// isTrue and the like read members of a type.
func isTrue(v any) bool { b, ok := v.(bool); return ok && b }

func integer(v any) (int, bool) {
	switch v := v.(type) {
	case json.Number:
		n, err := strconv.Atoi(v.String())
		return n, err == nil
	case int:
		return v, true
	}
	return 0, false
}

// pointer makes a path of names (RFC 6901, without the slash at the start).
func pointer(parts ...string) string {
	for i := range parts {
		parts[i] = pointerEscaper.Replace(parts[i])
	}
	return strings.Join(parts, "/")
}

var (
	pointerEscaper   = strings.NewReplacer("~", "~0", "/", "~1")
	pointerUnescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

// below puts a path under another.
func below(path, name string) string {
	if path == "" {
		return name
	}
	return path + "/" + name
}

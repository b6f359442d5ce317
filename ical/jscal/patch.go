package jscal

import (
	"fmt"
	"slices"
	"strings"
)

// unpatchable are the properties an occurrence shares with its series (RFC
// 8984 4.3.5).
var unpatchable = []string{"@type", "excludedRecurrenceRules", "method", "privacy", "prodId", "recurrenceId", "recurrenceIdTimeZone",
	"recurrenceOverrides", "recurrenceRules", "relatedTo", "replyTo", "sentBy", "timeZones", "uid"}

// difference makes the PatchObject that turns from into to. Members that must
// not be patched are left out and given by name.
func difference(from, to object) (patch object, shared []string) {
	patch = object{}
	for _, name := range names(from) {
		if slices.Contains(unpatchable, name) {
			if v, ok := to[name]; name != "recurrenceRules" && name != "recurrenceOverrides" && name != "excludedRecurrenceRules" && (!ok || !equal(from[name], v)) {
				shared = append(shared, name)
			}
			continue
		}
		differ(patch, pointer(name), from[name], to[name])
	}
	for _, name := range names(to) {
		if _, ok := from[name]; ok {
			continue
		}
		if slices.Contains(unpatchable, name) {
			if name != "recurrenceId" && name != "recurrenceIdTimeZone" {
				shared = append(shared, name)
			}
			continue
		}
		patch[pointer(name)] = to[name]
	}
	return patch, shared
}

func differ(patch object, path string, from, to any) {
	a, okA := from.(object)
	b, okB := to.(object)
	if !okA || !okB || len(b) == 0 {
		if !equal(from, to) {
			patch[path] = to
		}
		return
	}
	for _, name := range names(a) {
		differ(patch, path+"/"+pointer(name), a[name], b[name])
	}
	for _, name := range names(b) {
		if _, ok := a[name]; !ok {
			patch[path+"/"+pointer(name)] = b[name]
		}
	}
}

// apply applies a PatchObject to an object, which it changes. One that is not
// valid (RFC 8984 1.4.9) is not applied at all.
func apply(o object, patch object, ignore []string) error {
	paths := names(patch)
	for i, path := range paths {
		// In order, what a path is the beginning of follows it, perhaps after
		// others that only begin with the same letters.
		for _, other := range paths[i+1:] {
			if !strings.HasPrefix(other, path) {
				break
			}
			if strings.HasPrefix(other, path+"/") {
				return fmt.Errorf("the patches %s and %s overlap", clip(path), clip(other))
			}
		}
		if _, _, err := find(o, path); err != nil {
			return err
		}
	}
	for _, path := range paths {
		first, _, _ := strings.Cut(path, "/")
		if slices.Contains(ignore, first) {
			continue
		}
		in, name, err := find(o, path)
		if err != nil {
			return err
		}
		if v := patch[path]; v == nil {
			delete(in, name)
		} else {
			in[name] = clone(v)
		}
	}
	return nil
}

// find gives the object that a path's last part is a member of.
func find(o object, path string) (in object, name string, err error) {
	parts := strings.Split(path, "/")
	for _, part := range parts[:len(parts)-1] {
		next, ok := o[pointerUnescaper.Replace(part)].(object)
		if !ok {
			return nil, "", fmt.Errorf("the patch %s points into nothing that is there", clip(path))
		}
		o = next
	}
	return o, pointerUnescaper.Replace(parts[len(parts)-1]), nil
}

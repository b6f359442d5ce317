package ical

import (
	"slices"
	"strings"
	"testing"
)

// The tables are searched by halving, and refer to each other by name.
func TestTablesHoldTogether(t *testing.T) {
	if !slices.IsSortedFunc(propertyTable, func(a, b PropertyDef) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("propertyTable is not sorted")
	}
	if !slices.IsSortedFunc(parameterTable, func(a, b ParameterDef) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("parameterTable is not sorted")
	}
	for _, d := range propertyTable {
		for p := range strings.FieldsSeq(d.Params) {
			if _, ok := LookupParameter(p); !ok {
				t.Errorf("%s: parameter %s is not in the table", d.Name, p)
			}
		}
		if d.Section == "" || d.Types == "" {
			t.Errorf("%s: no section or type", d.Name)
		}
	}
	for _, c := range append(slices.Clone(componentTable), alarmTable...) {
		for _, list := range []string{c.One, c.Some, c.Maybe, c.Should, c.Any} {
			for p := range strings.FieldsSeq(list) {
				if _, ok := LookupProperty(p); !ok {
					t.Errorf("%s: property %s is not in the table", c.Name, p)
				}
			}
		}
		for in := range strings.FieldsSeq(c.In) {
			if _, ok := LookupComponent(in); !ok {
				t.Errorf("%s stands in %s, which is not in the table", c.Name, in)
			}
		}
	}
	if len(restrictions) != 22 {
		t.Errorf("%d restriction tables, RFC 5546 3 has 22", len(restrictions))
	}
	for _, r := range restrictions {
		for _, p := range slices.Concat(r.One, r.Some, r.Forbidden, r.Only) {
			_, property := LookupProperty(p)
			_, component := LookupComponent(p)
			if !property && !component {
				t.Errorf("%s of a %s: %s is in no table", r.Method, r.Component, p)
			}
		}
	}
}

package contact_test

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/contact"
)

// columnsOf returns the columns of a struct's fields, those of embedded structs included.
func columnsOf(t reflect.Type) (all []string) {
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous {
			all = append(all, columnsOf(f.Type)...)
		} else {
			all = append(all, f.Tag.Get("db"))
		}
	}
	return all
}

// TestListsAgree requires that columns, arguments, parameters and JSON keys name the same fields in the same order.
func TestListsAgree(t *testing.T) {
	for _, test := range []struct {
		columns, params string
		from            int // number of the first parameter
		of              any
		args            []any
	}{
		{contact.Columns, contact.Params, 3, contact.Contact{}, contact.Contact{}.Args()},
		{contact.DetailColumns, contact.DetailParams, 6, contact.Details{}, contact.Details{}.Args()},
	} {
		t.Run(reflect.TypeOf(test.of).Name(), func(t *testing.T) {
			columns := strings.Split(test.columns, ", ")
			require.Equal(t, columnsOf(reflect.TypeOf(test.of)), columns)
			require.Len(t, test.args, len(columns))
			var params []string
			for i := range columns {
				params = append(params, "$"+strconv.Itoa(test.from+i))
			}
			require.Equal(t, strings.Join(params, ", "), test.params)
		})
	}
	require.Len(t, strings.Split(contact.EmptyDetails, ", "), len(strings.Split(contact.DetailColumns, ", ")))
}

// TestFormFillsEveryField requires that each field of the form reaches the column of the same name.
func TestFormFillsEveryField(t *testing.T) {
	typed := contact.FromForm(func(name string) string { return "typed " + name })
	columns := strings.Split(contact.Columns, ", ")
	for i, value := range typed.Args() {
		if columns[i] == "organisation_name" {
			require.Empty(t, value)
			continue
		}
		require.Equal(t, "typed "+columns[i], value)
		require.True(t, slices.Contains(contact.FieldNames(), columns[i]))
	}
}

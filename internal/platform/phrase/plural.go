package phrase

// form is a plural form of CLDR. A key carries it after a #.
type form string

const (
	one   form = "one"
	other form = "other"
)

func oneIsOne(n int) form {
	if n == 1 {
		return one
	}
	return other
}

func noneIsOne(n int) form {
	if n == 0 || n == 1 {
		return one
	}
	return other
}

func neverOne(int) form { return other }

# settings.awk - the table of settings in the man page, made from fields.def.
#
#   awk -f proxy/install/settings.awk proxy/config/fields.def \
#       proxy/install/sallyport.8 >new && mv new proxy/install/sallyport.8
#
# Writes the page with what stands between its lines ".\" settings" and
# ".\" end of settings" made anew; a unit test fails when that was forgotten.

function mdoc(text) {
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	gsub(/\. /, ".\n", text) # a sentence, a line
	return text
}

# limits(kind, low, high) says them in words.
function limits(kind, low, high,    words) {
	if (kind ~ /choice|format/) {
		gsub(/\|/, ", ", low)
		return "One of " low "."
	}
	if (kind == "onoff")
		return "On or off."
	if (kind ~ /count|size|seconds/)
		return "From " low " to " high "."
	if (kind == "name")
		return "At most " high " bytes."
	return ""
}

# row takes a whole FIELD(...) apart: its strings are every second part.
function row(text,    q, n, i, kind, help, fixed, words) {
	n = split(text, q, "\"")
	kind = q[3]
	sub(/^, */, "", kind)
	sub(/,.*/, "", kind)
	fixed = q[9] ~ /start/
	help = q[10]
	for (i = 12; i <= n; i += 2)
		help = help q[i]
	words = limits(kind, q[6], q[8])
	table = table ".It Sy " mdoc(q[2]) "\n" mdoc(help) "\n"
	if (words != "")
		table = table mdoc(words) "\n"
	if (fixed)
		table = table "A change needs a restart.\n"
	if (q[4] != "")
		table = table "Default:\n.Ql " mdoc(q[4]) " .\n"
}

FNR == NR {
	if (/^FIELD\(/)
		text = ""
	if (/^FIELD\(/ || text != "")
		text = text $0
	if (text != "" && /"\)$/) {
		row(text)
		text = ""
	}
	next
}

/^\.\\" settings$/ {
	print
	printf ".Bl -tag -width Ds\n%s.El\n", table
	skip = 1
}
/^\.\\" end of settings$/ { skip = 0 }
!skip { print }

# metrics.awk - the list of metrics in the man page, made from metrics.def.
#
#   awk -f proxy/install/metrics.awk proxy/report/metrics.def \
#       proxy/install/sallyport.8 >new && mv new proxy/install/sallyport.8
#
# Writes the page with what stands between its lines ".\" metrics" and
# ".\" end of metrics" made anew; a unit test fails when that was forgotten.

function mdoc(text) {
	gsub(/-/, "\\-", text)
	gsub(/\. /, ".\n", text) # a sentence, a line
	return text
}

# row takes a whole METRIC(...) apart: its strings are every second part.
function row(text,    q, n, i, type, labels, help) {
	n = split(text, q, "\"")
	type = q[1]
	sub(/^[^,]*, */, "", type)
	sub(/,.*/, "", type)
	labels = q[4]
	gsub(/,/, ", ", labels)
	for (i = 6; i <= n; i += 2)
		help = help q[i]
	list = list ".It Sy " q[2] " Pq " type \
		(labels == "" ? "" : "; " mdoc(labels)) "\n" mdoc(help) "\n"
}

FILENAME ~ /metrics\.def$/ {
	if (/^METRIC\(/)
		text = ""
	if (/^METRIC\(/ || text != "")
		text = text $0
	if (text != "" && /"\)$/) {
		row(text)
		text = ""
	}
	next
}

/^\.\\" end of metrics$/ { inside = 0 }
!inside { print }
/^\.\\" metrics$/ {
	inside = 1
	printf ".Bl -tag -width Ds\n%s.El\n", list
}

{{- define "cdcrt.name" -}}
{{- printf "cdcrt-%s" .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- define "cdcrt.labels" -}}
app.kubernetes.io/name: cdcrt
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

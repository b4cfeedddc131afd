{{/* Names, labels and images. Each takes a dict: root (the chart's scope) and component.
     A long release name is cut, never the component, so that names stay different. */}}

{{- define "longitude.fullname" -}}
{{- $room := sub 62 (len .component) | int -}}
{{- printf "%s-%s" (trunc $room .root.Release.Name | trimSuffix "-") .component -}}
{{- end -}}

{{- define "longitude.selector" -}}
app.kubernetes.io/name: longitude
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "longitude.labels" -}}
{{ include "longitude.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: longitude
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* Takes root and repository. */}}
{{- define "longitude.image" -}}
{{- printf "%s/%s:%s" .root.Values.image.registry .repository (.root.Values.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}

{{- define "longitude.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* host:port of a component's gRPC as other pods reach it. */}}
{{- define "longitude.address" -}}
{{- $port := ternary 8001 50051 (eq .component "triton") -}}
{{- printf "%s:%d" (include "longitude.fullname" .) $port -}}
{{- end -}}

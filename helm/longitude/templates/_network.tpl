{{/* Parts of network policies. */}}

{{/* Metrics and health from the monitoring namespace. Takes root and port. */}}
{{- define "longitude.monitored" -}}
- ports: [{protocol: TCP, port: {{ .port }}}]
  from:
    - namespaceSelector:
        matchLabels: {kubernetes.io/metadata.name: {{ .root.Values.networkPolicy.monitoringNamespace }}}
{{- end -}}

{{/* gRPC from exactly the services that list this component in `calls`, and from clients' namespaces. */}}
{{- define "longitude.called" -}}
{{- $called := .component -}}
{{- $callers := list -}}
{{- range $name, $service := .root.Values.services -}}
{{- if has $called $service.calls }}{{ $callers = append $callers $name }}{{ end -}}
{{- end -}}
{{- if and .root.Values.trainer.enabled (eq $called "triton") }}{{ $callers = append $callers "trainer" }}{{ end -}}
{{- $namespaces := ternary (list) .root.Values.networkPolicy.clientNamespaces (eq $called "triton") -}}
{{- if or $callers $namespaces -}}
- ports: [{protocol: TCP, port: {{ .port }}}]
  from:
    {{- range $callers }}
    - podSelector:
        matchLabels:
          {{- include "longitude.selector" (dict "root" $.root "component" .) | nindent 10 }}
    {{- end }}
    {{- range $namespaces }}
    - namespaceSelector:
        matchLabels: {kubernetes.io/metadata.name: {{ . }}}
    {{- end }}
{{- end -}}
{{- end -}}

{{- define "longitude.dns" -}}
- ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
  to:
    - namespaceSelector:
        matchLabels: {kubernetes.io/metadata.name: kube-system}
{{- end -}}

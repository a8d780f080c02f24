{{/*
Spec of the ServingRuntime that a model uses: (list ROOT MODEL). Only what its kind and image decide is here, since every model of
a runtime restarts when it changes; what a model decides is in its InferenceService.
*/}}
{{- define "predictors.runtime" -}}
{{- $root := index . 0 }}
{{- $model := index . 1 -}}
supportedModelFormats:
# Not selected automatically: each model names its runtime, so that versions of it stand side by side.
- {name: {{ $model.kind }}, version: "1", autoSelect: false}
protocolVersions: [v1, v2, grpc-v2]
multiModel: false
{{- with $root.Values.monitoring.annotations }}
# KServe copies these to the pods.
annotations:
{{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
{{- toYaml . | nindent 0 }}
{{- end }}
containers:
- name: kserve-container
  image: {{ $model.image | quote }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  command: [predictors, serve, {{ $model.kind }}]
  # KServe puts the InferenceService's name in place of the braces.
  args: [--model_dir=/mnt/models, "--model_name={{ "{{.Name}}" }}"]
  ports:
  - {name: http1, containerPort: 8080, protocol: TCP}
  {{- if eq $root.Values.kserve.deploymentMode "Standard" }}
  - {name: grpc, containerPort: 8081, protocol: TCP}
  {{- end }}
  # The port opens at once and the model loads behind it: alive does not mean ready.
{{- include "predictors.probes" (list $root 8080) | nindent 2 }}
  securityContext:
{{- include "predictors.containerSecurity" $root | nindent 4 }}
  volumeMounts:
  - {name: tmp, mountPath: /tmp}
volumes:
- name: tmp
  emptyDir: {}
{{- end }}

{{/* The probes of the container: (list ROOT PORT). */}}
{{- define "predictors.probes" -}}
{{- $mode := (index . 0).Values.kserve.deploymentMode }}
{{- $port := index . 1 }}
{{- if eq $mode "Standard" -}}
startupProbe:
  httpGet: {path: /v2/health/live, port: {{ $port }}}
  periodSeconds: 1
  timeoutSeconds: 2
  failureThreshold: 120
{{ end -}}
readinessProbe:
  httpGet: {path: /v2/health/ready, port: {{ $port }}}
  periodSeconds: 1
  timeoutSeconds: 2
  failureThreshold: 5
livenessProbe:
  httpGet: {path: /v2/health/live, port: {{ $port }}}
  {{- if eq $mode "Knative" }}
  # Instead of a startup probe: with one, Knative sends a pod nothing until the kubelet has found it ready, a second later.
  initialDelaySeconds: 100
  {{- end }}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}

{{/*
Name of that runtime: (list ROOT MODEL). With a hash of its content, so that an upgrade makes a new runtime and moves the models to
it one by one, instead of changing the one that all of them use.
*/}}
{{- define "predictors.runtimeName" -}}
{{- $root := index . 0 }}
{{- $scope := $root.Values.cluster.runtimes | ternary (printf "%s-" $root.Release.Namespace) "" -}}
{{ $scope }}{{ $root.Release.Name }}-{{ (index . 1).kind }}-{{ include "predictors.runtime" . | fromYaml | toJson | sha256sum | trunc 8 }}
{{- end }}

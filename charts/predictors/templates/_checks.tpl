{{/* What the schema cannot say. Each refusal names the value, what is wrong with it, and why or what to do. */}}

{{/* Refuse a model that could not work: (list ROOT NAME MODEL). */}}
{{- define "predictors.checkModel" -}}
{{- include "predictors.checkNames" . }}
{{- include "predictors.checkArtifact" . }}
{{- include "predictors.checkSigner" . }}
{{- include "predictors.checkServer" . }}
{{- include "predictors.checkAddresses" . }}
{{- include "predictors.checkAccess" . }}
{{- include "predictors.checkMetadata" . }}
{{- include "predictors.checkScaling" . }}
{{- include "predictors.checkRollout" . }}
{{- $mode := (index . 0).Values.kserve.deploymentMode }}
{{- include (printf "predictors.check%s" $mode) . }}
{{- end }}

{{- define "predictors.checkNames" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $model := index . 2 }}
{{- range $field, $value := dict "" $name ".predictorName" $model.predictorName ".canary.name" $model.canary.name }}
  {{- if and $value (not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $value)) }}
    {{- fail (printf "models.%s%s: %q is not a name; use lower-case letters, digits and dashes, beginning with a letter" $name $field $value) }}
  {{- end }}
{{- end }}
{{- /* KServe labels pods app=isvc.DEPLOYMENT, and makes hosts DEPLOYMENT-NAMESPACE. A label and a part of a host have at most 63 characters. */}}
{{- range compact (list $model.deployment $model.canaryDeployment) }}
  {{- if gt (len .) 58 }}
    {{- fail (printf "models.%s: the name %s is %d characters long; 58 is the most that KServe's labels hold" $name . (len .)) }}
  {{- end }}
  {{- $host := printf "%s-%s" . $root.Release.Namespace }}
  {{- if and (eq $root.Values.kserve.deploymentMode "Standard") (gt (len $host) 63) }}
    {{- fail (printf "models.%s: the host name %s is %d characters long; 63 is the most; shorten the model's name or the namespace's" $name $host (len $host)) }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "predictors.checkArtifact" -}}
{{- $name := index . 1 }}
{{- $model := index . 2 }}
{{- if and (not $model.storageUri) (eq $model.kind "sklearn") }}
  {{- fail (printf "models.%s.storageUri is missing: the image of the kind sklearn holds no model; name an artifact" $name) }}
{{- end }}
{{- if not $model.storageUri }}
  {{- fail (printf "models.%s.storageUri is missing: without one, KServe takes the model for multi-model serving and injects an agent; name an artifact, or set modelVolume.create" $name) }}
{{- end }}
{{- range $field, $digest := dict "digest" $model.digest "canary.digest" $model.canary.digest }}
  {{- if and $digest (not (regexMatch "^sha256:[0-9a-f]{64}$" $digest)) }}
    {{- fail (printf "models.%s.%s: %q is not a digest; it is sha256: and 64 hexadecimal digits, as `predictors artifact digest` prints it" $name $field $digest) }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "predictors.checkSigner" -}}
{{- $name := index . 1 }}
{{- $model := index . 2 }}
{{- with $model.signatureKey }}
  {{- if contains "PRIVATE KEY-----" . }}
    {{- fail (printf "models.%s.signatureKey is a private key, which must not be here; give its public half, which `openssl ec -in KEY -pubout` prints" $name) }}
  {{- else if not (regexMatch "-----BEGIN (PUBLIC KEY|CERTIFICATE)-----" .) }}
    {{- fail (printf "models.%s.signatureKey is neither a public key nor a certificate in PEM; it begins with -----BEGIN PUBLIC KEY----- or -----BEGIN CERTIFICATE-----" $name) }}
  {{- end }}
  {{- if $model.signatureKeyConfigMap.name }}
    {{- fail (printf "models.%s: signatureKey and signatureKeyConfigMap exclude each other" $name) }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "predictors.checkServer" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $model := index . 2 }}
{{- if and $model.cacheUrl $model.cacheUrlSecret.name }}
  {{- fail (printf "models.%s: cacheUrl and cacheUrlSecret exclude each other" $name) }}
{{- end }}
{{- range append (include "predictors.namedSettings" nil | fromJsonArray) "cacheUrl" }}
  {{- if hasKey $model.settings . }}
    {{- fail (printf "models.%s.settings.%s: write models.%s.%s instead" $name . $name .) }}
  {{- end }}
{{- end }}
{{- range list "artifactDigest" "artifactsDir" "enableGrpc" "gguf" "grpcPort" "host" "httpPort" "maxLoadedBytes" "modelDir" "modelLoading" "modelStore" "shadowFile" "uds" }}
  {{- if hasKey $model.settings . }}
    {{- fail (printf "models.%s.settings.%s: the chart decides this, so that probes, ports and the mounted artifact agree with it" $name .) }}
  {{- end }}
{{- end }}
{{- $given := list $model.settings $model.modelName $model.cacheUrl $model.args $model.env | toJson }}
{{- if contains "{{" $given }}
  {{- fail (printf "models.%s: an argument, setting or variable contains {{; KServe would take it for a template and fail" $name) }}
{{- end }}
{{- end }}

{{- define "predictors.checkMetadata" -}}
{{- $name := index . 1 }}
{{- $model := index . 2 }}
{{- range $field := list "labels" "annotations" }}
  {{- range $key, $_ := get $model $field }}
    {{- if has $key (list "app" "component" "serving.kserve.io/inferenceservice" "serving.kserve.io/deploymentMode" "serving.kserve.io/autoscalerClass" "app.kubernetes.io/instance" "app.kubernetes.io/part-of" "predictors.dev/model-volume") }}
      {{- fail (printf "models.%s.%s: %s is set by KServe or by the chart; selectors and scaling depend on it" $name $field $key) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "predictors.checkScaling" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $model := index . 2 }}
{{- $scaling := $model.autoscaling }}
{{- if and (eq $root.Values.kserve.deploymentMode "Standard") (not $scaling.maxReplicas) (or $scaling.cpu $scaling.requestsPerSecond $scaling.queueDepth $scaling.behavior) }}
  {{- fail (printf "models.%s.autoscaling.maxReplicas is missing: there is a target, but no room to scale" $name) }}
{{- end }}
{{- if lt (int $model.max) (int $model.min) }}
  {{- fail (printf "models.%s.autoscaling.maxReplicas: the maximum, %d, is below the minimum, %d" $name (int $model.max) (int $model.min)) }}
{{- end }}
{{- end }}

{{- define "predictors.checkStandard" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $model := index . 2 }}
{{- if lt (int $model.min) 1 }}
  {{- fail (printf "models.%s: Standard mode cannot scale to zero, since nothing would hold the requests that arrive meanwhile; at least 1 replica, or kserve.deploymentMode Knative" $name) }}
{{- end }}
{{- if $model.canary.storageUri }}
  {{- include "predictors.checkCanary" . }}
{{- else if or $model.canary.name $model.canary.digest $model.canary.trafficPercent }}
  {{- fail (printf "models.%s.canary.storageUri is missing: a canary serves another artifact" $name) }}
{{- end }}
{{- end }}

{{- define "predictors.checkCanary" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $model := index . 2 }}
{{- $version := $root.Values.kserve.version }}
{{- if semverCompare "<0.21.0-0" $version }}
  {{- fail (printf "models.%s.canary needs KServe 0.21 or newer, and kserve.version is %s: KServe 0.20 accepts a canary, sends it no traffic, and takes its pods off the stable version" $name $version) }}
{{- end }}
{{- if not $model.canary.name }}
  {{- fail (printf "models.%s.canary.name is missing: KServe names the canary's pods after it" $name) }}
{{- end }}
{{- if eq $model.canary.name ($model.predictorName | default "") }}
  {{- fail (printf "models.%s.canary.name: %q is the stable version's predictorName; each version needs a name of its own" $name $model.canary.name) }}
{{- end }}
{{- if eq $model.canary.storageUri $model.storageUri }}
  {{- fail (printf "models.%s.canary.storageUri is the stable version's too; KServe promotes a canary only to another artifact" $name) }}
{{- end }}
{{- if eq (get $model.labels "networking.kserve.io/visibility") "cluster-local" }}
  {{- fail (printf "models.%s.canary: the gateway splits the traffic, and a cluster-local service has none" $name) }}
{{- end }}
{{- end }}

{{- define "predictors.checkKnative" -}}
{{- $name := index . 1 }}
{{- $model := index . 2 }}
{{- range list "cpu" "queueDepth" "behavior" }}
  {{- if get $model.autoscaling . }}
    {{- fail (printf "models.%s.autoscaling.%s: Knative's autoscaler looks at requests alone; use requestsPerSecond or concurrency" $name .) }}
  {{- end }}
{{- end }}
{{- if or $model.predictorName $model.canary.name }}
  {{- fail (printf "models.%s: predictorName and canary.name are for Standard mode; Knative's revisions have names already" $name) }}
{{- end }}
{{- if ne (int ($model.canary.replicas | default 1)) 1 }}
  {{- fail (printf "models.%s.canary.replicas is for Standard mode: Knative scales a canary like any revision, between the model's own minimum and maximum" $name) }}
{{- end }}
{{- if and (not $model.canary.storageUri) (or $model.canary.digest $model.canary.trafficPercent) }}
  {{- fail (printf "models.%s.canary.storageUri is missing: a canary serves another artifact" $name) }}
{{- end }}
{{- end }}

{{- define "predictors.checkRollout" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $model := index . 2 }}
{{- $kserve := $root.Values.kserve }}
{{- if $model.rollout.enabled }}
  {{- if $model.canary.storageUri }}
    {{- fail (printf "models.%s: rollout and canary exclude each other; change storageUri, and the rollout makes a canary of it" $name) }}
  {{- end }}
  {{- if $model.predictorName }}
    {{- fail (printf "models.%s.predictorName: the rollout names the predictors; leave it out" $name) }}
  {{- end }}
  {{- if eq (get $model.labels "networking.kserve.io/visibility") "cluster-local" }}
    {{- fail (printf "models.%s.rollout: the gateway splits the traffic, and a cluster-local service has none" $name) }}
  {{- end }}
  {{- $routing := $model.rollout.strategy.routing }}
  {{- if ne (has $routing (list "knative" "auto")) (or (eq $kserve.deploymentMode "Knative") (eq $routing "auto")) }}
    {{- fail (printf "models.%s.rollout.strategy.routing: %s does not go with kserve.deploymentMode %s" $name $routing $kserve.deploymentMode) }}
  {{- end }}
  {{- if and (eq $routing "canary") (semverCompare "<0.21.0-0" $kserve.version) }}
    {{- fail (printf "models.%s.rollout.strategy.routing: canary needs KServe 0.21 or newer, and kserve.version is %s; use pair" $name $kserve.version) }}
  {{- end }}
{{- end }}
{{- end }}

{{/*
Refuse to hand over an InferenceService that Helm would delete: (list ROOT NAME). Helm deletes what an upgrade no longer renders, unless
the object in the cluster says that it is kept. Without a cluster, as in `helm template`, nothing is found and nothing refused.
*/}}
{{- define "predictors.checkKept" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $namespace := $root.Release.Namespace }}
{{- $metadata := (lookup "serving.kserve.io/v1beta1" "InferenceService" $namespace $name).metadata | default dict }}
{{- $annotations := $metadata.annotations | default dict }}
{{- $owned := eq (get $annotations "meta.helm.sh/release-name") $root.Release.Name }}
{{- range $metadata.ownerReferences }}
  {{- if eq .kind "InferenceRollout" }}{{ $owned = false }}{{ end }}
{{- end }}
{{- if and $owned (ne (get $annotations "helm.sh/resource-policy") "keep") }}
  {{- fail (printf "models.%s.rollout: the upgrade would delete the InferenceService that serves; first let it be kept: kubectl annotate --namespace %s inferenceservice %s helm.sh/resource-policy=keep" $name $namespace $name) }}
{{- end }}
{{- end }}

{{/* Refuse to take back an InferenceService that goes with its rollout: (list ROOT NAME). */}}
{{- define "predictors.checkDisowned" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $namespace := $root.Release.Namespace }}
{{- if $root.Capabilities.APIVersions.Has "rollouts.predictors.dev/v1alpha1/InferenceRollout" }}
  {{- if lookup "rollouts.predictors.dev/v1alpha1" "InferenceRollout" $namespace $name }}
    {{- fail (printf "models.%s.rollout: the InferenceRollout owns the InferenceService, which would go with it; first part them: kubectl delete --namespace %s inferencerollout %s --cascade=orphan" $name $namespace $name) }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Refuse models that would share a Deployment: (MODELS). `a` with a canary `b` and a model `a-b` have the same names. */}}
{{- define "predictors.checkTogether" -}}
{{- $owners := dict }}
{{- range $name, $model := . }}
  {{- range compact (list $model.deployment $model.canaryDeployment) }}
    {{- if hasKey $owners . }}
      {{- fail (printf "models.%s and models.%s would both have a Deployment %s; rename one of them" (get $owners .) $name .) }}
    {{- end }}
    {{- $_ := set $owners . $name }}
  {{- end }}
{{- end }}
{{- end }}

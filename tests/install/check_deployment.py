"""Kubernetes manifests by Kubernetes' schemas, a task definition of ECS by Amazon's description of its interface. Run by test_deployment.py with the
interpreter that has the packages of tests/requirements.txt. Prints what is wrong, a line each."""

import json
import sys

import yaml

KUBERNETES = "1.31"


class UniqueKeys(yaml.SafeLoader):
    """YAML in which a key that is given twice is an error, not the last one."""


def mapping(loader, node):
    keys = [loader.construct_object(key) for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise yaml.constructor.ConstructorError(None, None, f"key {key!r} twice", node.start_mark)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)


def check_object(name, found):
    import kubernetes_validate

    if not found["apiVersion"].startswith("keda.sh/"):
        try:
            kubernetes_validate.validate(found, KUBERNETES, strict=True)
        except kubernetes_validate.ValidationError as problem:
            print(f"{name}: {'.'.join(map(str, problem.path))}: {problem.message}")


def check_task(name):
    import botocore.session
    import botocore.validate

    with open(name, encoding="utf-8") as file:
        task = json.load(file)
    model = botocore.session.get_session().get_service_model("ecs")
    report = botocore.validate.ParamValidator().validate(task, model.operation_model("RegisterTaskDefinition").input_shape)
    if report.has_errors():
        print(f"{name}: {report.generate_report()}")


def main():
    if sys.argv[1] == "--json":  # files of YAML as JSON: path to documents
        found = {}
        for name in sys.argv[2:]:
            with open(name, encoding="utf-8") as file:
                found[name] = list(yaml.load_all(file, UniqueKeys))
        json.dump(found, sys.stdout)
        return
    for name in sys.argv[1:]:
        if name.endswith(".json"):
            check_task(name)
            continue
        with open(name, encoding="utf-8") as file:
            for found in filter(None, yaml.load_all(file, UniqueKeys)):
                check_object(name, found)


if __name__ == "__main__":
    main()

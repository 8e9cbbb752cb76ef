using Mono.Cecil;
using Mono.Cecil.Cil;

namespace ActorTrainer.Build.Tests.Rules;

/// <summary>Which namespaces of one compiled assembly use which others of it.</summary>
internal sealed class NamespaceGraph
{
    private readonly SortedDictionary<string, SortedSet<string>> _uses = new(StringComparer.Ordinal);

    /// <summary>A graph of namespaces and those that each uses.</summary>
    public NamespaceGraph(IEnumerable<(string From, string To)> uses)
    {
        foreach ((string from, string to) in uses.Where(use => use.From != use.To))
        {
            Of(from).Add(to);
            Of(to);
        }
    }

    /// <summary>
    /// Reads an assembly: signatures, attributes and the bodies of methods. Constants that were put in place by the compiler do not show.
    /// </summary>
    public static NamespaceGraph Read(string assembly)
    {
        using ModuleDefinition module = ModuleDefinition.ReadModule(assembly);
        return new NamespaceGraph(
            module
                .GetTypes()
                .SelectMany(type =>
                    TypesUsedBy(type)
                        .SelectMany(Parts)
                        .Where(used => used.Scope == module)
                        .Select(used => (NamespaceOf(type), NamespaceOf(used)))
                )
                .Distinct()
                .ToArray()
        );
    }

    /// <summary>The other namespaces that one uses.</summary>
    public IReadOnlySet<string> Uses(string from) => _uses[from];

    /// <summary>
    /// The sets of namespaces of which each can be reached from each, as <c>A, B</c>; nothing when there is no cycle. What is not in such a
    /// set has an order.
    /// </summary>
    public IReadOnlyList<string> Cycles()
    {
        Dictionary<string, HashSet<string>> reached = _uses.Keys.ToDictionary(from => from, Reach);
        return
        [
            .. _uses
                .Keys.Select(from => string.Join(", ", _uses.Keys.Where(to => reached[from].Contains(to) && reached[to].Contains(from))))
                .Where(cycle => cycle.Length > 0)
                .Distinct(),
        ];
    }

    private HashSet<string> Reach(string from)
    {
        HashSet<string> reached = [];
        Stack<string> open = new([from]);
        while (open.TryPop(out string? current))
        {
            foreach (string next in _uses[current].Where(reached.Add))
            {
                open.Push(next);
            }
        }

        return reached;
    }

    private SortedSet<string> Of(string name) =>
        _uses.TryGetValue(name, out SortedSet<string>? used) ? used : _uses[name] = new SortedSet<string>(StringComparer.Ordinal);

    private static IEnumerable<TypeReference?> TypesUsedBy(TypeDefinition type) =>
        [
            type.BaseType,
            .. type.Interfaces.Select(implemented => implemented.InterfaceType),
            .. type.CustomAttributes.Select(attribute => attribute.AttributeType),
            .. type.GenericParameters.SelectMany(parameter => parameter.Constraints).Select(constraint => constraint.ConstraintType),
            .. type.Fields.Select(field => field.FieldType),
            .. type.Methods.SelectMany(TypesUsedBy),
        ];

    private static IEnumerable<TypeReference?> TypesUsedBy(MethodDefinition method) =>
        [
            method.ReturnType,
            .. method.Parameters.Select(parameter => parameter.ParameterType),
            .. method.CustomAttributes.Select(attribute => attribute.AttributeType),
            .. method.GenericParameters.SelectMany(parameter => parameter.Constraints).Select(constraint => constraint.ConstraintType),
            .. method.HasBody ? method.Body.Variables.Select(variable => variable.VariableType) : [],
            .. method.HasBody ? method.Body.Instructions.SelectMany(TypesUsedBy) : [],
        ];

    private static IEnumerable<TypeReference?> TypesUsedBy(Instruction instruction) =>
        instruction.Operand switch
        {
            TypeReference type => [type],
            FieldReference field => [field.DeclaringType],
            GenericInstanceMethod method => [method.DeclaringType, .. method.GenericArguments],
            MethodReference method => [method.DeclaringType],
            _ => [],
        };

    /// <summary>The types that a constructed type (array, generic instance …) is made of.</summary>
    private static IEnumerable<TypeReference> Parts(TypeReference? type) =>
        type switch
        {
            null or GenericParameter => [],
            GenericInstanceType generic => [.. Parts(generic.ElementType), .. generic.GenericArguments.SelectMany(Parts)],
            TypeSpecification constructed => Parts(constructed.ElementType),
            _ => [type],
        };

    private static string NamespaceOf(TypeReference type) => type.DeclaringType is { } outer ? NamespaceOf(outer) : type.Namespace;
}

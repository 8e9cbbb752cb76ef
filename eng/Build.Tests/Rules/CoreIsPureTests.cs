using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace ActorTrainer.Build.Tests.Rules;

/// <summary>
/// Looks at the compiled Core. The banned-API analyzer sees what is written; this also sees what the compiler makes of it
/// (a lock statement, an asynchronous method).
/// </summary>
public sealed class CoreIsPureTests
{
    private static readonly Assembly Core = typeof(Core.CoreJsonContext).Assembly;

    private static readonly string[] ImpureNamespaces =
    [
        "System.Threading",
        "System.Threading.Tasks",
        "System.Timers",
        "System.Net",
        "System.Net.Sockets",
        "System.Net.Http",
    ];

    private static readonly string[] ImpureTypes =
    [
        "System.Console",
        "System.Environment",
        "System.Random",
        "System.TimeProvider",
        "System.HashCode",
        "System.Diagnostics.Process",
        "System.Diagnostics.Stopwatch",
        "System.Runtime.CompilerServices.AsyncTaskMethodBuilder",
        "System.Collections.Concurrent.ConcurrentDictionary`2",
    ];

    private static readonly string[] ImpureMembers =
    [
        "System.DateTime.get_Now",
        "System.DateTime.get_UtcNow",
        "System.DateTimeOffset.get_Now",
        "System.DateTimeOffset.get_UtcNow",
        "System.Guid.NewGuid",
        "System.String.GetHashCode",
        "System.Globalization.CultureInfo.get_CurrentCulture",
    ];

    /// <summary>
    /// Field-like use of shared state by generated code (cached serializer metadata) needs them; neither waits nor tells the time.
    /// </summary>
    private static readonly string[] Harmless = ["System.Threading.Interlocked", "System.Threading.Volatile"];

    [Fact]
    public void References_OfTheCompiledCore_AreToPureTypesAndMembers()
    {
        using FileStream file = File.OpenRead(Core.Location);
        using PEReader image = new(file);
        MetadataReader metadata = image.GetMetadataReader();

        string[] types = [.. metadata.TypeReferences.Select(handle => NameOf(metadata, handle))];
        IEnumerable<string> members = metadata
            .MemberReferences.Select(metadata.GetMemberReference)
            .Where(member => member.Parent.Kind == HandleKind.TypeReference)
            .Select(member => $"{NameOf(metadata, (TypeReferenceHandle)member.Parent)}.{metadata.GetString(member.Name)}");

        types.ShouldContain("System.Object");
        types.Where(IsImpure).ShouldBeEmpty();
        members.Intersect(ImpureMembers).ShouldBeEmpty();
    }

    [Fact]
    public void StaticFields_OfCore_NeverChange()
    {
        string[] changing =
        [
            .. Core.GetTypes()
                .Where(type => !type.FullName!.Contains('<'))
                .SelectMany(type =>
                    type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
                )
                .Where(field => !field.IsLiteral && (!field.IsInitOnly || IsMutableCollection(field.FieldType)))
                .Select(field => $"{field.DeclaringType}.{field.Name}"),
        ];

        changing.ShouldBeEmpty();
    }

    private static bool IsImpure(string type) =>
        ImpureTypes.Contains(type)
        || (!Harmless.Contains(type) && ImpureNamespaces.Any(space => type.StartsWith(space + ".", StringComparison.Ordinal)));

    private static bool IsMutableCollection(Type type) =>
        type.IsGenericType
        && (
            type.Namespace is "System.Collections.Concurrent"
            || type.GetGenericTypeDefinition() == typeof(List<>)
            || type.GetGenericTypeDefinition() == typeof(Dictionary<,>)
            || type.GetGenericTypeDefinition() == typeof(HashSet<>)
            || type.GetGenericTypeDefinition() == typeof(Queue<>)
            || type.GetGenericTypeDefinition() == typeof(SortedDictionary<,>)
        );

    private static string NameOf(MetadataReader metadata, TypeReferenceHandle handle)
    {
        TypeReference type = metadata.GetTypeReference(handle);
        return $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}";
    }
}

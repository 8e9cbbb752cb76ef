using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace ActorTrainer.Build.Suites;

/// <summary>
/// The tests of a suite that the fast lane leaves out: those with the trait <c>Lane=Slow</c>, and those that <c>Requires</c> something
/// besides the SDK. Read from the compiled assembly, without running it.
/// </summary>
/// <param name="Whole">Whether that is all of the suite.</param>
/// <param name="Names">The classes, or the methods as <c>Class.Method</c>, in order of their names.</param>
internal sealed record SlowTests(bool Whole, IReadOnlyList<string> Names)
{
    /// <summary>The trait of slow tests.</summary>
    public const string Trait = "Lane=Slow";

    private const string RequiresTrait = "Requires=";

    /// <summary>Reads a test project's assembly.</summary>
    public static SlowTests Read(string assembly)
    {
        using PEReader image = new(File.OpenRead(assembly));
        MetadataReader metadata = image.GetMetadataReader();
        List<string> names = [];
        foreach (TypeDefinitionHandle handle in metadata.TypeDefinitions)
        {
            TypeDefinition type = metadata.GetTypeDefinition(handle);
            string name = metadata.GetString(type.Name);
            names.AddRange(
                IsSlow(metadata, type.GetCustomAttributes())
                    ? [name]
                    : type.GetMethods()
                        .Select(metadata.GetMethodDefinition)
                        .Where(method => IsSlow(metadata, method.GetCustomAttributes()))
                        .Select(method => $"{name}.{metadata.GetString(method.Name)}")
            );
        }

        bool whole = metadata.IsAssembly && IsSlow(metadata, metadata.GetAssemblyDefinition().GetCustomAttributes());
        return new SlowTests(whole, [.. names.Order(StringComparer.Ordinal)]);
    }

    private static bool IsSlow(MetadataReader metadata, CustomAttributeHandleCollection attributes) =>
        attributes
            .Select(metadata.GetCustomAttribute)
            .Where(attribute => NameOf(metadata, attribute) == "TraitAttribute")
            .Select(attribute => ReadTrait(metadata.GetBlobReader(attribute.Value)))
            .Any(trait => trait == Trait || trait.StartsWith(RequiresTrait, StringComparison.Ordinal));

    /// <summary>The attribute comes from a package, so its constructor is a reference.</summary>
    private static string? NameOf(MetadataReader metadata, CustomAttribute attribute) =>
        attribute.Constructor.Kind == HandleKind.MemberReference
        && metadata.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent is { Kind: HandleKind.TypeReference } parent
            ? metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)parent).Name)
            : null;

    /// <summary>Its arguments follow a prolog of two bytes (ECMA-335, II.23.3).</summary>
    private static string ReadTrait(BlobReader value)
    {
        value.ReadUInt16();
        return $"{value.ReadSerializedString()}={value.ReadSerializedString()}";
    }
}

using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace ActorTrainer.Build.Tests.Rules;

/// <summary>Measures methods by the lines that their debug information names.</summary>
public sealed class MethodLengthTests
{
    private const int MaxLines = 70;

    /// <summary>Methods that may be longer, each with its reason.</summary>
    private static readonly Dictionary<string, string> LongMethods = [];

    [Fact]
    public void Methods_OfTheProduct_AreShort()
    {
        string[] assemblies = [.. Directory.EnumerateFiles(AppContext.BaseDirectory, "*.dll").Where(IsOurs)];

        string[] wrong =
        [
            .. assemblies
                .SelectMany(Measure)
                .Where(method => method.Lines > MaxLines && !LongMethods.ContainsKey(method.Name))
                .Select(method => $"{method.Name}: {method.Lines} lines"),
        ];

        assemblies.Select(Path.GetFileNameWithoutExtension).ShouldContain("ActorTrainer.Core");
        wrong.ShouldBeEmpty($"a method past {MaxLines} lines usually does two jobs");
    }

    private static bool IsOurs(string path)
    {
        string name = Path.GetFileNameWithoutExtension(path);
        return name is "actortrainer" or "Build"
            || (name.StartsWith("ActorTrainer.", StringComparison.Ordinal) && !name.EndsWith(".Tests", StringComparison.Ordinal));
    }

    private static IEnumerable<(string Name, int Lines)> Measure(string assembly)
    {
        using PEReader image = new(File.OpenRead(assembly));
        MetadataReader metadata = image.GetMetadataReader();
        using MetadataReaderProvider symbols = MetadataReaderProvider.FromPortablePdbStream(
            File.OpenRead(Path.ChangeExtension(assembly, ".pdb"))
        );
        MetadataReader debug = symbols.GetMetadataReader();
        List<(string Name, int Lines)> methods = [];
        foreach (MethodDefinitionHandle handle in metadata.MethodDefinitions)
        {
            // A constructor also runs the initializers of fields, which stand all over the type.
            MethodDefinition method = metadata.GetMethodDefinition(handle);
            string name = metadata.GetString(method.Name);
            MethodDebugInformation information = debug.GetMethodDebugInformation(handle);
            if (name is ".ctor" or ".cctor" || information.Document.IsNil || IsGenerated(debug, information))
            {
                continue;
            }

            SequencePoint[] points = [.. information.GetSequencePoints().Where(point => !point.IsHidden)];
            if (points.Length > 0)
            {
                TypeDefinition type = metadata.GetTypeDefinition(method.GetDeclaringType());
                int lines = points.Max(point => point.EndLine) - points.Min(point => point.StartLine) + 1;
                methods.Add(($"{metadata.GetString(type.Name)}.{name}", lines));
            }
        }

        return methods;
    }

    private static bool IsGenerated(MetadataReader debug, MethodDebugInformation information)
    {
        string path = debug.GetString(debug.GetDocument(information.Document).Name).Replace('\\', '/');
        return path.Contains("/obj/", StringComparison.Ordinal) || path.EndsWith(".g.cs", StringComparison.Ordinal);
    }
}

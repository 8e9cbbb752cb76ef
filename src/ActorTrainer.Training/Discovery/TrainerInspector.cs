using System.Reflection;
using System.Reflection.Metadata;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Training.Discovery;

/// <summary>Looks at a trainer before a task with it is accepted, without running any of its code.</summary>
public static class TrainerInspector
{
    private const string TrainerInterface = "ActorTrainer.Training.ITrainer";

    /// <summary>
    /// What is wrong with a trainer, one sentence with what to do; null when it can be started: its assembly exists and holds the type,
    /// a public class that is not abstract, with a public constructor without parameters, that implements <see cref="ITrainer"/>.
    /// </summary>
    public static string? Check(TrainerSpec trainer)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        if (string.IsNullOrWhiteSpace(trainer.Type))
        {
            return "trainer.type is empty; give the full name of a class that implements ITrainer, for example My.Models.ImageTrainer.";
        }

        return trainer.Assembly is null ? CheckHost(trainer.Type) : CheckFile(trainer.Type, trainer.Assembly);
    }

    private static string? CheckHost(string typeName)
    {
        List<string> trainers = [];
        foreach (Assembly assembly in TrainerLocator.HostAssemblies())
        {
            // In a single-file program there is no file to read; the type itself can be asked there.
            if (assembly.Location.Length == 0)
            {
                if (assembly.GetType(typeName, throwOnError: false) is { } type)
                {
                    return typeof(ITrainer).IsAssignableFrom(type) ? null : Problem(typeName, "does not implement ITrainer");
                }

                continue;
            }

            using TrainerMetadata metadata = TrainerMetadata.Open(assembly.Location);
            if (metadata.Find(typeName) is { } found)
            {
                return Judge(metadata, typeName, found);
            }

            trainers.AddRange(metadata.Trainers());
        }

        return $"trainer type '{typeName}' is not in this program{Suggest(typeName, trainers)}; "
            + "set trainer.assembly to the file that holds it, or host ActorTrainer in the program that does.";
    }

    private static string? CheckFile(string typeName, string path)
    {
        if (!Path.IsPathFullyQualified(path))
        {
            return $"trainer.assembly '{path}' is not an absolute path.";
        }

        if (!File.Exists(path))
        {
            return $"trainer.assembly {path} does not exist; build the project that makes it, and give a path that every node can read.";
        }

        try
        {
            using TrainerMetadata metadata = TrainerMetadata.Open(path);
            return metadata.Find(typeName) is { } found
                ? Judge(metadata, typeName, found)
                : $"trainer type '{typeName}' is not in {path}{Suggest(typeName, metadata.Trainers())}.";
        }
        catch (Exception problem) when (problem is BadImageFormatException or InvalidOperationException)
        {
            return $"trainer.assembly {path} is not a .NET assembly; give the .dll that the project's build makes.";
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return $"trainer.assembly {path} cannot be read: {problem.Message}";
        }
    }

    private static string? Judge(TrainerMetadata metadata, string typeName, TypeDefinitionHandle handle)
    {
        TypeDefinition type = metadata.Reader.GetTypeDefinition(handle);
        if ((type.Attributes & TypeAttributes.Interface) != 0)
        {
            return Problem(typeName, "is an interface");
        }

        if (!metadata.IsPublic(handle))
        {
            return Problem(typeName, "is not public");
        }

        if ((type.Attributes & TypeAttributes.Abstract) != 0)
        {
            return Problem(typeName, "is abstract");
        }

        if (type.GetGenericParameters().Count > 0)
        {
            return Problem(typeName, "is generic");
        }

        if (!metadata.Implements(handle, TrainerInterface))
        {
            return Problem(typeName, "does not implement ITrainer");
        }

        return metadata.HasParameterlessConstructor(type) ? null : Problem(typeName, "has no public constructor without parameters");
    }

    private static string Problem(string typeName, string what) =>
        $"trainer type '{typeName}' {what}; a trainer is a public class with a public constructor without parameters that "
        + $"implements {TrainerInterface}.";

    // The same simple name in another namespace is the likeliest mistake, then a slip of a letter or two.
    private static string Suggest(string typeName, IReadOnlyList<string> trainers)
    {
        if (trainers.Count == 0)
        {
            return "; no trainer is";
        }

        string best = trainers
            .OrderBy(name => Simple(name) == Simple(typeName) ? 0 : Distance(name, typeName))
            .ThenBy(name => name, StringComparer.Ordinal)
            .First();
        return Simple(best) == Simple(typeName) || Distance(Simple(best), Simple(typeName)) <= 3
            ? $"; did you mean '{best}'?"
            : $"; trainers there: {string.Join(", ", trainers.Order(StringComparer.Ordinal).Take(5))}";
    }

    private static string Simple(string name) => name[(name.LastIndexOfAny(['.', '+']) + 1)..].ToUpperInvariant();

    // Levenshtein's distance, one row at a time.
    private static int Distance(string a, string b)
    {
        int[] row = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}

using System.Reflection;
using System.Runtime.Loader;

namespace ActorTrainer.Training.Discovery;

/// <summary>Finds and makes trainers.</summary>
internal static class TrainerLocator
{
    /// <summary>Makes the trainer of a type.</summary>
    /// <param name="typeName">Full name.</param>
    /// <param name="assemblyPath">The assembly's file, or null: the program itself and what it references.</param>
    /// <exception cref="TrainerTypeException">There is no such trainer, or it cannot be made.</exception>
    public static ITrainer Create(string typeName, string? assemblyPath)
    {
        Type type = assemblyPath is null ? FindInHost(typeName) : FindInFile(typeName, assemblyPath);
        if (!typeof(ITrainer).IsAssignableFrom(type) || type.IsAbstract)
        {
            throw new TrainerTypeException(
                $"'{typeName}' is no trainer: it has to be a class that implements {typeof(ITrainer).FullName}."
            );
        }

        ConstructorInfo? constructor = type.GetConstructor(Type.EmptyTypes);
        return constructor is null
            ? throw new TrainerTypeException($"'{typeName}' has no public constructor without parameters.")
            : (ITrainer)constructor.Invoke(BindingFlags.DoNotWrapExceptions, null, null, null);
    }

    /// <summary>The program's own assemblies: the entry assembly and what it references, without the framework.</summary>
    public static IEnumerable<Assembly> HostAssemblies()
    {
        if (Assembly.GetEntryAssembly() is not { } entry)
        {
            yield break;
        }

        HashSet<string> seen = new(StringComparer.Ordinal);
        Queue<Assembly> open = new([entry]);
        while (open.TryDequeue(out Assembly? assembly))
        {
            if (!seen.Add(assembly.FullName ?? ""))
            {
                continue;
            }

            yield return assembly;
            foreach (AssemblyName reference in assembly.GetReferencedAssemblies())
            {
                if (!IsFramework(reference.Name) && TryLoad(reference) is { } loaded)
                {
                    open.Enqueue(loaded);
                }
            }
        }
    }

    /// <summary>Whether an assembly belongs to .NET and can hold no trainer.</summary>
    public static bool IsFramework(string? name) =>
        name is null or "netstandard" or "mscorlib"
        || name.StartsWith("System.", StringComparison.Ordinal)
        || name.StartsWith("Microsoft.", StringComparison.Ordinal)
        || name == "System";

    private static Type FindInHost(string typeName)
    {
        foreach (Assembly assembly in HostAssemblies())
        {
            if (assembly.GetType(typeName, throwOnError: false) is { } type)
            {
                return type;
            }
        }

        throw new TrainerTypeException(
            $"trainer type '{typeName}' is neither in {Assembly.GetEntryAssembly()?.GetName().Name ?? "this program"} nor in "
                + "what it references; "
                + "set trainer.assembly when it stands in a file of its own."
        );
    }

    private static Type FindInFile(string typeName, string path)
    {
        try
        {
            return new TrainerLoadContext(path).LoadFromAssemblyPath(path).GetType(typeName, throwOnError: false)
                ?? throw new TrainerTypeException($"trainer type '{typeName}' is not in {path}.");
        }
        catch (Exception problem) when (problem is IOException or BadImageFormatException)
        {
            throw new TrainerTypeException($"{path} cannot be loaded: {problem.Message}", problem);
        }
    }

    private static Assembly? TryLoad(AssemblyName name)
    {
        try
        {
            return AssemblyLoadContext.Default.LoadFromAssemblyName(name);
        }
        catch (Exception problem) when (problem is IOException or BadImageFormatException)
        {
            // A reference that is not deployed: nothing in it could be run anyway.
            return null;
        }
    }
}

/// <summary>A trainer type is missing or cannot be used; the message says which and why.</summary>
internal sealed class TrainerTypeException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Loads a trainer's assembly with the libraries that stand beside it. ActorTrainer's own assemblies come from the host, because a
/// trainer has to implement the host's <see cref="ITrainer"/>, not a second one of the same name.
/// </summary>
internal sealed class TrainerLoadContext(string path) : AssemblyLoadContext(Path.GetFileNameWithoutExtension(path))
{
    private readonly AssemblyDependencyResolver _resolver = new(path);

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        if (assemblyName.Name is { } name && name.StartsWith("ActorTrainer.", StringComparison.Ordinal) && IsInHost(assemblyName))
        {
            return null;
        }

        return _resolver.ResolveAssemblyToPath(assemblyName) is { } file ? LoadFromAssemblyPath(file) : null;
    }

    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } file ? LoadUnmanagedDllFromPath(file) : 0;

    // A trainer's own library may be called ActorTrainer.Something too.
    private static bool IsInHost(AssemblyName name)
    {
        try
        {
            Default.LoadFromAssemblyName(name);
            return true;
        }
        catch (Exception problem) when (problem is IOException or BadImageFormatException)
        {
            return false;
        }
    }
}
